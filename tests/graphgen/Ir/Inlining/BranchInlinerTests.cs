using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using static LoRTA.Onnx.GraphGen.Tests.Ir.Inlining.StoredBodies;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Inlining;

/// <summary><c>If</c> whose condition is known when the file is read.</summary>
internal sealed class BranchInlinerTests
{
    private static readonly AttributeProto Then = Branch("then_branch", [Node("MatMul", ["x", "v"], ["h"], "product"), Node("Neg", ["h"], ["r"])], "r", Tensor("v", [3, 3], [1, 0, 1, 0, 1, 0, 2, 0, 1]));
    private static readonly AttributeProto Else = Branch("else_branch", [Node("Abs", ["x"], ["h"]), Node("Add", ["h", "x"], ["r"])], "r");

    private static readonly (string Name, NodeProto[] Condition)[] Conditions =
    [
        ("initializer", [Node("Identity", ["flag"], ["c"])]),
        ("negated", [Node("Not", ["flag"], ["c"])]),
        ("converted", [Node("Cast", ["flag"], ["n"], "", "", Int("to", 7)), Node("Cast", ["n"], ["c"], "", "", Int("to", 9))]),
        ("a size that is 1", [.. Size(0), Node("Equal", ["size", "one"], ["c"])]),
        ("a size that is larger", [.. Size(1), Node("Greater", ["size", "one"], ["c"])]),
        ("two in one", [.. Size(1), Node("Less", ["size", "one"], ["a"]), Node("Or", ["a", "flag"], ["c"])]),
    ];

    private static IEnumerable<string> Names => Conditions.Select(item => item.Name);

    [Test]
    public void The_branch_that_is_taken_takes_its_place([ValueSource(nameof(Names))] string name, [Values] bool flag)
    {
        var proto = Model([.. Conditions.Single(item => item.Name == name).Condition, Node("If", ["c"], ["y"], "choice", "", Then, Else)]);
        proto.Graph.Initializer.Add(Bool("flag", flag));

        var (stored, read, model) = Run(proto);

        Assert.That(read, Is.EqualTo(stored).Within(1e-6));
        Assert.That(model.Graph.Nodes.Select(node => node.OpType), Does.Not.Contain("If"));
    }

    [Test]
    public void Branches_in_branches_and_values_from_outside_are_taken_too([Values] bool outer, [Values] bool inner)
    {
        var proto = Model([Node("If", ["outer"], ["y"], "", "", Branch("then_branch", [Node("If", ["inner"], ["r"], "", "", Then, Else)], "r"), Branch("else_branch", [Node("Identity", ["x"], ["x2"])], "x2"))]);
        proto.Graph.Initializer.Add(Bool("outer", outer));
        proto.Graph.Initializer.Add(Bool("inner", inner));

        var (stored, read, _) = Run(proto);

        Assert.That(read, Is.EqualTo(stored).Within(1e-6));
    }

    [Test]
    public void A_condition_that_is_an_input_is_refused_by_name()
    {
        var proto = Model([Node("If", ["use_cache_branch"], ["y"], "optimum::if", "", Then, Else)]);
        var input = Info("use_cache_branch", 1);
        input.Type.TensorType.ElemType = 9;
        proto.Graph.Input.Add(input);

        var error = Assert.Throws<LortaException>(() => CanonicalModel.Of(ModelReader.Read(Google.Protobuf.MessageExtensions.ToByteArray(proto))))!;

        Assert.That(error.Code, Is.EqualTo("LRT205"));
        Assert.That(error.Message, Does.Contain("optimum::if").And.Contain("use_cache_branch"));
        Assert.That(error.Hint, Does.Contain("decoder_model.onnx"));
    }

    private static NodeProto[] Size(long axis) =>
    [
        Node("Shape", ["x"], ["shape"]),
        Node("Constant", [], ["axis"], "", "", Int("value_int", axis)),
        Node("Gather", ["shape", "axis"], ["size"]),
        Node("Constant", [], ["one"], "", "", Int("value_int", axis == 0 ? 2 : 1)),
    ];
}
