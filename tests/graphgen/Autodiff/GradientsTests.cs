using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Autodiff;

internal sealed class GradientsTests
{
    [Test]
    public void An_operator_that_nothing_is_known_of_is_refused_although_its_type_is_not_known_either()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3);
        var mystery = model.Graph.Add(new Node("Mystery", "some.domain", [x.Value], [model.Graph.AddValue("y")]));
        var loss = x.Total() + tape[mystery.Output].Total();
        (loss.Value.Type, loss.Value.Shape) = (ElementType.Float, []);

        Assert.That(() => Gradients.Of(tape, loss.Value, [x.Value], LortaCatalog.Default), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT401"));
    }

    [Test]
    public void Missing_rule_names_operator_node_and_way_out()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3);
        var node = model.Graph.Add(new Node("Det", string.Empty, [x.Value], [model.Graph.AddValue("y", ElementType.Float, [])]) { Name = "/model/det" });

        var error = Assert.Throws<LortaException>(() => Gradients.Of(tape, node.Output, [x.Value], LortaCatalog.Default))!;

        Assert.That(error.Code, Is.EqualTo("LRT401"));
        Assert.That(error.Message, Does.Contain("Det").And.Contain("/model/det").And.Contain("inverse"));
        Assert.That(error.Hint, Is.Not.Empty);
    }

    [Test]
    public void Operator_without_rule_does_no_harm_beside_the_path()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 2);
        var det = model.Graph.Add(new Node("Det", string.Empty, [Input(model, tape, "other", 2, 2).Value], [model.Graph.AddValue("det", ElementType.Float, [])]));

        Assert.That(() => Gradients.Of(tape, (x * tape[det.Output]).Total().Value, [x.Value], LortaCatalog.Default), Throws.Nothing);
    }

    [TestCase(2, "Add")]
    [TestCase(5, "Sum")]
    public void Gradients_of_all_readers_of_a_value_are_added_by_one_operator(int readers, string op)
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3);
        var y = Enumerable.Range(1, readers).Select(i => (x * x.Tape.Scalar(i, ElementType.Float)).Exp().Total()).Aggregate((a, b) => a + b);
        var before = model.Graph.Nodes.Count(node => node.OpType is "Add" or "Sum");

        Gradients.Of(tape, y.Value, [x.Value], LortaCatalog.Default);

        Assert.That(model.Graph.Nodes.Where(node => node.OpType is "Add" or "Sum").Skip(before).Select(node => node.OpType), Is.EqualTo(new[] { op }));
    }

    [Test]
    public void Unsupported_form_names_its_reason()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3);
        var y = tape.Op("Pad", [x, tape.Longs(1, 1, 1, 1)], ("mode", "reflect"));

        var error = Assert.Throws<LortaException>(() => Gradients.Of(tape, y.Total().Value, [x.Value], LortaCatalog.Default))!;

        Assert.That(error.Code, Is.EqualTo("LRT402"));
        Assert.That(error.Message, Does.Contain("reflect"));
    }

    [Test]
    public void Gradient_through_a_statistic_of_a_norm_is_refused()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3);
        var norm = tape.Write("LayerNormalization", [x, Weight(tape, "gamma", 3)], 2);

        var error = Assert.Throws<LortaException>(() => Gradients.Of(tape, (tape[norm.Output] * tape[norm.Outputs[1]!]).Total().Value, [x.Value], LortaCatalog.Default))!;

        Assert.That(error.Code, Is.EqualTo("LRT403"));
    }

    [Test]
    public void Value_that_the_objective_does_not_depend_on_gets_zeros()
    {
        var (model, tape) = Ort.New();
        var (x, free) = (Input(model, tape, "x", 2), Input(model, tape, "free", 2, 3));

        var gradients = Gradients.Of(tape, x.Total().Value, [free.Value], LortaCatalog.Default);
        model.Graph.AddOutput(gradients[0].Value);

        var zeros = Ort.Run(model, Feeds(model)).Values.Single();
        Assert.That(zeros.Dims, Is.EqualTo(new[] { 2, 3 }));
        Assert.That(zeros.ToFloats(), Is.All.Zero);
    }

    // ∂(x·d)/∂x = d where d = x is held: half of what it is without.
    [Test]
    public void Nothing_flows_back_through_a_detached_value()
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [3])];
        var objective = (x * tape.Op("Identity", [x]).Detached()).Total();

        var gradient = Gradients.Of(tape, objective.Value, [x.Value], LortaCatalog.Default)[0];

        model.Graph.AddOutput(gradient.Value.Producer is null ? tape.Op("Identity", [gradient]).Value : gradient.Value);
        model.Graph.RemoveUnused();
        model.Graph.Sort();
        Assert.That(Ort.Run(model, new Dictionary<string, OnnxTensor> { ["x"] = OnnxTensor.Vector<float>([1, -2, 5]) }).Values.Single().ToFloats(), Is.EqualTo(new float[] { 1, -2, 5 }));
    }

    [Test]
    public void Copy_of_a_graph_keeps_what_is_detached()
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [3])];
        model.Graph.AddOutput(x.Detached().Value);

        Assert.That(model.Clone().Graph.Nodes.Single().StopsGradient, Is.True);
    }

    [Test]
    public void Uses_of_a_value_add_up()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3);
        model.Graph.AddOutput(((x * x) + x - x.Apply("Tanh")).Value);

        GradientCheck.Run(model, Feeds(model), ["x"]);
    }

    // ONNX Runtime moves the transposes over the Pad of the gradient and takes its pads to be those of every axis.
    [Test]
    public void Slice_between_transposes_has_its_gradient()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3, 4, 5);
        model.Graph.AddOutput(x.Apply("Tanh").MoveAxes(0, 2, 1, 3).Slice(3, 1, 3).Apply("Tanh").MoveAxes(0, 2, 1, 3).Exp().Value);

        GradientCheck.Run(model, Feeds(model), ["x"]);
    }

    [Test]
    public void Nodes_may_lie_in_any_order()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3);
        var y = x.Apply("Tanh");
        var z = y.Exp();
        var replacement = y * 2;
        model.Graph.ReplaceUses(y.Value, replacement.Value, use => use.Node == z.Value.Producer);   // z now reads a node that stands behind it
        model.Graph.AddOutput(z.Value);

        GradientCheck.Run(model, Feeds(model), ["x"]);
    }

    [Test]
    public void Frozen_branches_and_weights_get_no_gradient_nodes()
    {
        var (model, tape) = Ort.New();
        var (x, mask, trained) = (Input(model, tape, "x", 2, 3), Input(model, tape, "mask", 2, 4), Weight(tape, "trained", 3, 4));
        var hidden = x.MatMul(trained);
        var y = (hidden.MatMul(Weight(tape, "frozen", 4, 4)) + mask.Exp()).Apply("Tanh");

        var gradient = Gradients.Of(tape, y.Total().Value, [trained.Value], LortaCatalog.Default)[0];
        model.Graph.AddOutput(gradient.Value);
        model.Graph.RemoveUnused();

        var products = model.Graph.Nodes.Where(node => node.Op is "MatMul" or OrtOps.FusedMatMul).ToArray();
        Assert.That(products, Has.Length.EqualTo(4));   // two forwards, backwards through the frozen one, and the trained weight's own
        Assert.That(model.Graph.Find("mask")!.Uses, Has.Count.EqualTo(1));
    }

    [Test]
    public void Product_with_a_frozen_weight_goes_back_over_the_same_initializer()
    {
        var (model, tape) = Ort.New();
        var (x, weight) = (Input(model, tape, "x", 2, 5, 3), Weight(tape, "weight", 3, 4));
        var turned = Weight(tape, "turned", 2, 4);
        var y = x.MatMul(weight).MatMul(turned.T);

        model.Graph.AddOutput(y.Value);
        model.Graph.AddOutput(Gradients.Of(tape, y.Total().Value, [x.Value], LortaCatalog.Default)[0].Value);
        model.Graph.RemoveUnused();

        Assert.That(model.Graph.Nodes.Where(node => node.Op == "Transpose"), Is.Empty);
        Assert.That(model.Graph.Initializers.Count(value => value.Rank == 2), Is.EqualTo(2));
        Assert.That(weight.Value.Uses.Select(use => (use.Node.OpType, use.Node.Int("transB", 0))), Is.EqualTo(new[] { ("MatMul", 0L), ("FusedMatMul", 1L) }));
    }

    [Test]
    public void Weight_gradient_is_one_flat_product()
    {
        var (model, tape) = Ort.New();
        var (x, weight) = (Input(model, tape, "x", 2, 5, 3), Weight(tape, "weight", 3, 4));

        var gradient = Gradients.Of(tape, (x.MatMul(weight) * Input(model, tape, "w", 2, 5, 4)).Total().Value, [weight.Value], LortaCatalog.Default)[0];

        Assert.That(gradient.Value.Producer!.OpType, Is.EqualTo("FusedMatMul"));
        Assert.That(gradient.Value.Producer.Inputs.Select(input => input!.Rank), Is.All.EqualTo(2));
    }

    [Test]
    public void Onnx_only_tape_writes_no_fused_product()
    {
        var (model, _) = Ort.New();
        var tape = new Tape(model.Graph, onnxOnly: true);
        var (x, weight) = (Input(model, tape, "x", 2, 5, 3), Weight(tape, "weight", 3, 4));

        Gradients.Of(tape, x.MatMul(weight).Total().Value, [x.Value, weight.Value], LortaCatalog.Default);

        Assert.That(model.Graph.Nodes.Select(node => node.Domain), Is.All.Empty);
    }

    [Test]
    public void New_nodes_are_named_after_the_node_that_they_belong_to()
    {
        var (model, tape) = Ort.New();
        var x = Input(model, tape, "x", 2, 3);
        using (tape.Scope("/layer.0")) model.Graph.AddOutput(x.Apply("Tanh").Total().Value);
        var forward = model.Graph.Nodes.Count();

        Gradients.Of(tape, model.Graph.Outputs[0], [x.Value], LortaCatalog.Default);

        Assert.That(model.Graph.Nodes.Skip(forward).Select(node => node.Name).Where(name => name.Contains("layer", StringComparison.Ordinal)), Is.Not.Empty.And.All.Contain("_grad/"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Rows_without_visible_key_send_back_zeros(bool maskByWhere)
    {
        var (model, tape) = Ort.New();
        var (q, k, v) = (Input(model, tape, "q", 2, 3, 4), Input(model, tape, "k", 2, 3, 4), Input(model, tape, "v", 2, 3, 4));
        var hidden = tape.Constant(OnnxTensor.Of<bool>([2, 3, 3], [false, true, true, false, false, true, false, false, false, true, true, true, false, true, true, false, false, true]));
        var (zero, infinity) = (tape.Scalar(0, ElementType.Float), tape.Scalar(double.NegativeInfinity, ElementType.Float));
        var scores = q.MatMul(k.T) * 0.5;
        var masked = maskByWhere ? infinity.Where(hidden, scores) : scores + infinity.Where(hidden, zero);
        var p = masked.Apply("Softmax");
        model.Graph.AddOutput(zero.Where(p.Apply("IsNaN"), p).MatMul(v).Value);

        GradientCheck.Run(model, Feeds(model), ["q", "k", "v"]);
    }

    private static Expr Input(OnnxModel model, Tape tape, string name, params long[] shape) =>
        tape[model.Graph.AddInput(name, ElementType.Float, [.. shape.Select(size => new Dim(size))])];

    private static Expr Weight(Tape tape, string name, params long[] shape) => tape.Constant(RandomTensor.Normal(name, shape), name);

    private static Dictionary<string, OnnxTensor> Feeds(OnnxModel model) =>
        model.Graph.Inputs.ToDictionary(input => input.Name, input => RandomTensor.Normal(input.Name, input.Shape!.Known!));
}
