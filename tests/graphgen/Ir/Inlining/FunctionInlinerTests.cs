using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using static LoRTA.Onnx.GraphGen.Tests.Ir.Inlining.StoredBodies;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Inlining;

/// <summary>Functions that models define themselves, held against ONNX Runtime, which runs them as they are.</summary>
internal sealed class FunctionInlinerTests
{
    private static readonly FunctionProto Scaled = Function("Scaled", ["a", "w"], ["b"], [Node("MatMul", ["a", "w"], ["h"], "product"), Node("Elu", ["h"], ["b"], "elu", "", Reference("alpha", "strength"))]);

    private static readonly (string Name, ModelProto Model)[] Cases =
    [
        ("weights as inputs, an attribute by reference", Model([Call("Scaled", ["x", "w"], ["y"], "first", Float("strength", 0.5f))], Scaled)),
        ("an attribute that is not given", Model([Call("Scaled", ["x", "w"], ["y"])], Scaled)),
        ("a default of the function", Model([Call("Soft", ["x"], ["y"])], Defaulted())),
        ("two calls of one function", Model([Call("Scaled", ["x", "w"], ["h"], "first", Float("strength", 2)), Call("Scaled", ["h", "w"], ["y"], "second")], Scaled)),
        ("a name of the body that the graph has too", Model([Node("Neg", ["x"], ["h"], "product"), Call("Scaled", ["h", "w"], ["b"]), Node("Add", ["h", "b"], ["y"])], Scaled)),
        ("a function in a function", Model([Call("Twice", ["x", "w"], ["y"], "", Float("gain", 0.25f))], Twice(), Scaled)),
        ("a constant in the body", Model([Call("Shifted", ["x"], ["h"]), Call("Shifted", ["h"], ["y"])], Function("Shifted", ["a"], ["b"], [Node("Constant", [], ["c"], "", "", new AttributeProto { Name = "value", Type = 4, T = Tensor("c", [3], [1, 2, 3]) }), Node("Add", ["a", "c"], ["b"])]))),
        ("an output that nobody asks for, an input that is absent", Model([Call("Clamp", ["x", "", "w"], ["", "y"])], Function("Clamp", ["a", "min", "w"], ["c", "d"], [Node("Clip", ["a", "min"], ["c"]), Node("MatMul", ["c", "w"], ["d"])]))),
        ("in a branch", Model([Node("If", ["flag"], ["y"], "choice", "", Branch("then_branch", [Call("Scaled", ["x", "w"], ["r"])], "r"), Branch("else_branch", [Node("Neg", ["x"], ["r2"])], "r2"))], Scaled)),
        ("with a branch", Model([Call("Chosen", ["x", "flag"], ["h"]), Call("Chosen", ["h", "flag"], ["y"])], Function("Chosen", ["a", "f"], ["b"], [Node("Neg", ["a"], ["n"]), Node("If", ["f"], ["b"], "", "", Branch("then_branch", [Node("Add", ["n", "a"], ["t"])], "t"), Branch("else_branch", [Node("Mul", ["n", "n"], ["e"])], "e"))]))),
        ("an older opset that means the same", Model([Call("Old", ["x"], ["y"])], Function("Old", ["a"], ["b"], [Node("Neg", ["a"], ["b"])], opset: 13))),
    ];

    private static IEnumerable<string> Names => Cases.Select(item => item.Name);

    [TestCaseSource(nameof(Names))]
    public void Bodies_take_the_place_of_their_calls(string name)
    {
        var proto = Cases.Single(item => item.Name == name).Model.Clone();
        if (proto.ToString().Contains("\"flag\"", StringComparison.Ordinal)) proto.Graph.Initializer.Add(Bool("flag", true));

        var (stored, read, model) = Run(proto);

        Assert.That(read, Is.EqualTo(stored).Within(1e-6));
        Assert.That(model.Functions, Is.Empty);
        Assert.That(model.Graph.Nodes.Where(node => node.Domain == "local"), Is.Empty);
        Assert.That(model.Opsets.Keys, Does.Not.Contain("local"));
    }

    [Test]
    public void A_body_that_is_used_once_keeps_its_names_and_others_are_named_after_their_calls()
    {
        var once = Run(Model([Call("Scaled", ["x", "w"], ["y"], "layer")], Scaled)).Model;
        var twice = Run(Model([Call("Scaled", ["x", "w"], ["h"], "layers.0"), Call("Scaled", ["h", "w"], ["y"], "layers.1")], Scaled)).Model;

        Assert.That(once.Graph.Nodes.Select(node => node.Name), Is.EqualTo(new[] { "product", "elu" }));
        Assert.That(twice.Graph.Nodes.Select(node => node.Name), Is.EqualTo(new[] { "layers.0/product", "layers.0/elu", "layers.1/product", "layers.1/elu" }));
    }

    [Test]
    public void A_function_of_another_opset_that_reads_differently_there_is_refused_by_name()
    {
        var model = ModelReader.Read(Google.Protobuf.MessageExtensions.ToByteArray(Model([Call("Old", ["x"], ["y"])], Function("Old", ["a"], ["b"], [Node("ReduceMean", ["a"], ["b"], "", "", new AttributeProto { Name = "axes", Type = 7, Ints = { 1 } })], opset: 13))));

        var error = Assert.Throws<LortaException>(() => CanonicalModel.Of(model))!;

        Assert.That(error.Code, Is.EqualTo("LRT206"));
        Assert.That(error.Message, Does.Contain("opset 13").And.Contain("ReduceMean"));
    }

    [Test]
    public void A_function_that_calls_itself_is_refused()
    {
        var model = ModelReader.Read(Google.Protobuf.MessageExtensions.ToByteArray(Model([Call("Loop", ["x"], ["y"])], Function("Loop", ["a"], ["b"], [Call("Loop", ["a"], ["b"])]))));

        Assert.That(Assert.Throws<LortaException>(() => CanonicalModel.Of(model))!.Message, Does.Contain("calls itself"));
    }

    [Test]
    public void Functions_that_stand_for_too_much_are_refused()
    {
        FunctionProto[] doubling = [.. Enumerable.Range(0, 40).Select(i => Function($"f{i}", ["a"], ["b"], [Call($"f{i + 1}", ["a"], ["h"]), Call($"f{i + 1}", ["h"], ["b"])])), Function("f40", ["a"], ["b"], [Node("Neg", ["a"], ["b"])])];
        FunctionProto[] deep = [.. Enumerable.Range(0, 1000).Select(i => Function($"f{i}", ["a"], ["b"], [Call($"f{i + 1}", ["a"], ["b"])])), Function("f1000", ["a"], ["b"], [Node("Neg", ["a"], ["b"])])];

        foreach (var functions in new[] { doubling, deep })
        {
            var model = ModelReader.Read(Google.Protobuf.MessageExtensions.ToByteArray(Model([Call("f0", ["x"], ["y"])], functions)));
            Assert.That(() => CanonicalModel.Of(model), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT206"));
        }
    }

    private static FunctionProto Defaulted()
    {
        var function = Function("Soft", ["a"], ["b"], [Node("Elu", ["a"], ["b"], "", "", Reference("alpha", "strength"))]);
        function.AttributeProto.Add(Float("strength", 3));
        return function;
    }

    private static FunctionProto Twice() =>
        Function("Twice", ["a", "v"], ["d"], [Call("Scaled", ["a", "v"], ["h"], "one", Reference("strength", "gain")), Call("Scaled", ["h", "v"], ["d"], "two")]);
}
