using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Tests.Autodiff;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Losses;

internal sealed class TaskLossTests
{
    [Test]
    public void Classification_is_the_mean_over_rows()
    {
        float[] logits = [1, 2, 3, 0, -1, 4];

        Assert.That(Loss("classification", [2, 3], logits, Labels([2], 1, 2)), Is.EqualTo((Nll(logits[..3], 1) + Nll(logits[3..], 2)) / 2).Within(1e-6));
    }

    [TestCase("masked-lm")]
    [TestCase("token-classification")]
    public void Token_tasks_leave_out_ignored_labels_and_do_not_shift(string task)
    {
        float[] logits = [1, 2, 0, 3, 5, -1, 2, 2, 0, 1, 1, 4];   // [2, 3, 2]

        var expected = (Nll([1, 2], 0) + Nll([5, -1], 1) + Nll([1, 4], 1)) / 3;
        Assert.That(Loss(task, [2, 3, 2], logits, Labels([2, 3], 0, -100, 1, -100, -100, 1)), Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void Causal_labels_shift_within_a_row()
    {
        float[] logits = [1, 2, 0, 3, 5, -1, 2, 2, 0, 1, 1, 4];   // [2, 3, 2]

        var expected = (Nll([1, 2], 1) + Nll([0, 3], 0) + Nll([0, 1], 1)) / 3;
        Assert.That(Loss("causal-lm", [2, 3, 2], logits, Labels([2, 3], 0, 1, 0, 1, -100, 1)), Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void Causal_labels_shift_without_padding_integers_for_which_cuda_has_no_kernel()
    {
        var (model, tape) = WithOutput("logits", 2, 3, 2);

        LortaCatalog.Default.LossOf("causal-lm").Write(tape);

        Assert.That(model.Graph.Nodes.Select(node => node.OpType), Does.Not.Contain("Pad"));
    }

    [Test]
    public void A_row_of_one_token_has_nothing_to_predict() => Assert.That(Loss("causal-lm", [1, 1, 2], [1, 2], Labels([1, 1], 1)), Is.Zero);

    [Test]
    public void Regression_is_the_mean_square_on_logit_0() =>
        Assert.That(Loss("regression", [3, 2], [1, 9, 2, 9, 4, 9], OnnxTensor.Of<float>([3], [0, 2, 1])), Is.EqualTo((1 + 0 + 9) / 3.0).Within(1e-6));

    [Test]
    public void Large_logits_neither_overflow_nor_vanish() =>
        Assert.That(Loss("classification", [1, 2], [1000, -1000], Labels([1], 1)), Is.EqualTo(2000).Within(1e-3));

    [TestCase("causal-lm")]
    [TestCase("masked-lm")]
    public void No_label_at_all_gives_zero_and_a_finite_gradient(string task)
    {
        var (model, tape) = WithOutput("logits", 1, 2, 3);
        var loss = LortaCatalog.Default.LossOf(task).Write(tape).Loss;
        var gradient = Gradients.Of(tape, loss.Value, [model.Graph.Inputs[0]], LortaCatalog.Default)[0];
        var results = Run(model, [loss, gradient], new() { ["x"] = OnnxTensor.Of<float>([1, 2, 3], [1, 2, 3, 4, 5, 6]), ["labels"] = Labels([1, 2], -100, -100) });

        Assert.That(results[0].ToFloats(), Is.All.Zero);
        Assert.That(results[1].ToFloats(), Is.All.Zero);
    }

    [TestCase("classification", new long[] { 3, 4 }, new long[] { 1, 0, 3 })]
    [TestCase("masked-lm", new long[] { 2, 3, 5 }, new long[] { 1, -100, 3, 0, 4, -100 })]
    [TestCase("causal-lm", new long[] { 2, 3, 5 }, new long[] { 1, -100, 3, 0, 4, 2 })]
    [TestCase("token-classification", new long[] { 2, 3, 5 }, new long[] { 1, -100, 3, 0, 4, 2 })]
    public void Gradient_of_cross_entropy_is_that_of_central_differences(string task, long[] shape, long[] labels) =>
        CheckGradient(task, shape, Labels(shape[..^1], labels));

    [Test]
    public void Gradient_of_regression_is_that_of_central_differences() => CheckGradient("regression", [3, 2], OnnxTensor.Of<float>([3], [0.5f, 1, -2]));

    [Test]
    public void Gradient_of_a_language_model_makes_few_tensors_of_its_size()
    {
        var (model, tape) = WithOutput("logits", 2, 3, 1000);
        var loss = LortaCatalog.Default.LossOf("causal-lm").Write(tape).Loss;
        model.Graph.ClearOutputs();
        model.Graph.AddOutput(Gradients.Of(tape, loss.Value, [model.Graph.Find("logits")!], LortaCatalog.Default)[0].Value);
        model.Graph.RemoveUnused();

        var large = model.Graph.Nodes.Where(node => node.Output.Shape!.Size.Value >= 6000).Select(node => node.OpType);
        Assert.That(large, Is.EqualTo(new[] { "Identity", "LogSoftmax", "Exp", "Mul", "ScatterElements" }));
    }

    [Test]
    public void Logits_go_before_other_outputs_and_a_name_before_both()
    {
        var (model, tape) = WithOutput("hidden", 2, 3);
        model.Graph.AddOutput(tape.Constant(OnnxTensor.Of<float>([2, 3], [9, 0, 0, 9, 0, 0]), "logits").Value);

        var (byName, asked) = (LortaCatalog.Default.LossOf("classification").Write(tape).Loss, LortaCatalog.Default.LossOf("classification").Write(tape, "hidden").Loss);
        var losses = Run(model, [byName, asked], new() { ["x"] = OnnxTensor.Of<float>([2, 3], [0, 9, 0, 0, 9, 0]), ["labels"] = Labels([2], 0, 0) });

        Assert.That(losses[0].ToFloats()[0], Is.LessThan(0.1));
        Assert.That(losses[1].ToFloats()[0], Is.GreaterThan(8));
        Assert.That(model.Graph.Inputs.Select(input => input.Name), Is.EqualTo(new[] { "x", "labels" }));
    }

    [Test]
    public void First_output_of_fitting_rank_serves_where_none_is_called_logits()
    {
        var (model, tape) = WithOutput("last_hidden_state", 1, 1, 2);
        model.Graph.AddOutput(tape.Constant(OnnxTensor.Of<float>([1, 2], [9, 0]), "scores").Value);

        Assert.That(() => LortaCatalog.Default.LossOf("classification").Write(tape), Throws.Nothing);
    }

    [TestCase(null, "scores")]
    [TestCase("more", "more")]
    public void Metrics_read_the_output_that_the_loss_is_made_of(string? asked, string expected)
    {
        var (model, tape) = WithOutput("last_hidden_state", 1, 1, 2);
        foreach (var name in new[] { "scores", "more" }) model.Graph.AddOutput(tape.Constant(OnnxTensor.Of<float>([1, 2], [9, 0]), name).Value);

        Assert.That(LortaCatalog.Default.LossOf("classification").Write(tape, asked).Scores?.Value.Name, Is.EqualTo(expected));
    }

    [Test]
    public void A_loss_that_the_model_computes_leaves_nothing_to_metrics() => Assert.That(LortaCatalog.Default.LossOf("loss").Write(WithOutput("loss", 1).Tape).Scores, Is.Null);

    [TestCase(null)]
    [TestCase("pooled")]
    public void No_fitting_output_is_an_error_that_lists_them(string? asked)
    {
        var (_, tape) = WithOutput("pooled", 2, 3);

        var error = Assert.Throws<LortaException>(() => LortaCatalog.Default.LossOf("causal-lm").Write(tape, asked))!;

        Assert.That(error.Code, Is.EqualTo("LRT412"));
        Assert.That(error.Message, Does.Contain("pooled: float[2, 3]").And.Contain("causal-lm"));
    }

    [Test]
    public void Unknown_task_is_refused_with_the_known_ones() =>
        Assert.That(() => LortaCatalog.Default.LossOf("poetry"), Throws.TypeOf<LortaException>().With.Property("Hint").Contains("causal-lm"));

    [Test]
    public void Loss_of_the_model_itself_is_taken_as_it_is()
    {
        var (model, tape) = WithOutput("my_loss", 1);

        var loss = LortaCatalog.Default.LossOf("loss").Write(tape, "my_loss").Loss;

        Assert.That(loss.Rank, Is.Zero);
        Assert.That(Run(model, [loss], new() { ["x"] = OnnxTensor.Of<float>([1], [3]) })[0].ToFloats(), Is.EqualTo(new[] { 3f }));
        Assert.That(() => LortaCatalog.Default.LossOf("loss").Write(tape), Throws.TypeOf<LortaException>().With.Message.Contains("'loss'"));
    }

    [Test]
    public void A_loss_that_is_no_scalar_is_a_defect_of_who_wrote_it()
    {
        var (_, tape) = WithOutput("logits", 2, 3);

        Assert.That(() => GraphGen.Losses.Loss.Of("mine", model => new(model.Output(name: null, rank: 2))).Write(tape), Throws.InvalidOperationException.With.Message.Contains("'mine'"));
    }

    [Test]
    public void Labels_count_that_are_no_gap()
    {
        var loss = GraphGen.Losses.Loss.Of("mine", _ => default);

        Assert.That(loss.CountLabels(Labels([3], 1, -100, 2)), Is.EqualTo(2));
        Assert.That(loss.CountLabels(OnnxTensor.Of<float>([3], [1, float.NaN, -100])), Is.EqualTo(2));
    }

    private static double Nll(float[] logits, int label) => Math.Log(logits.Sum(x => Math.Exp(x))) - logits[label];

    private static OnnxTensor Labels(long[] dims, params long[] labels) => OnnxTensor.Of<long>(dims, labels);

    private static (OnnxModel Model, Tape Tape) WithOutput(string name, params long[] shape)
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [.. shape.Select(size => new Dim(size))])];
        var output = x.Apply("Identity").Value;
        model.Graph.Rename(output, name);
        model.Graph.AddOutput(output);
        return (model, tape);
    }

    private static double Loss(string task, long[] shape, float[] logits, OnnxTensor labels)
    {
        var (model, tape) = WithOutput("logits", shape);
        var loss = LortaCatalog.Default.LossOf(task).Write(tape).Loss;
        return Run(model, [loss], new() { ["x"] = OnnxTensor.Of<float>(shape, logits), ["labels"] = labels })[0].ToFloats()[0];
    }

    private static void CheckGradient(string task, long[] shape, OnnxTensor labels)
    {
        var (model, tape) = WithOutput("logits", shape);
        var loss = LortaCatalog.Default.LossOf(task).Write(tape).Loss;
        model.Graph.ClearOutputs();
        model.Graph.AddOutput(loss.Value);

        GradientCheck.Run(model, new Dictionary<string, OnnxTensor> { ["x"] = RandomTensor.Normal(task, shape), ["labels"] = labels }, ["x"]);
    }

    private static OnnxTensor[] Run(OnnxModel model, Expr[] outputs, Dictionary<string, OnnxTensor> feeds)
    {
        model.Graph.ClearOutputs();
        foreach (var output in outputs) model.Graph.AddOutput(output.Value);
        var results = Ort.Run(model, feeds);
        return [.. outputs.Select(output => results[output.Value.Name])];
    }
}
