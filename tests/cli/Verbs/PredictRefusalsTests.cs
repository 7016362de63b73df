using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>What <c>lorta predict</c> refuses, and that it leaves nothing behind then.</summary>
internal sealed class PredictRefusalsTests
{
    private TrainedEncoder _trained = null!;
    private Predictions _predict = null!;

    [OneTimeSetUp]
    public void Train() => _trained = Predictions.Train();

    [OneTimeTearDown]
    public void DeleteTrained() => _trained.Dispose();

    [SetUp]
    public void Make() => _predict = new(_trained);

    [TearDown]
    public void Delete() => _predict.Dispose();

    [TestCase("predict {recipe} --adapter {adapter} --input {rows} -o {out} --set data.labels=[positive,negative]")]
    [TestCase("evaluate {recipe} --adapter {adapter} --set data.labels=[positive,negative]")]
    public void Classes_in_another_order_than_the_adapter_learned_are_refused(string command)
    {
        var run = _predict.Run(command);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("LRT636").And.Contain("was trained with the classes negative, positive; the recipe names positive, negative."));
    }

    [TestCase("predict {recipe} --adapter {adapter} --input {rows} -o {out} --set data.maxLength=300")]
    [TestCase("predict {recipe} --adapter {adapter} --input {rows} -o {out} --max-length 300")]
    [TestCase("predict {model} --adapter {adapter} --input {rows} -o {out} --max-length 300")]
    [TestCase("evaluate {recipe} --adapter {adapter} --set data.maxLength=300")]
    [TestCase("train {recipe} -o {out} --set data.maxLength=300")]
    public void Rows_that_are_longer_than_the_model_reads_are_refused(string command)
    {
        var run = _predict.Run(command);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("LRT519").And.Contain("300 is more than the 256 tokens that the model reads (max_position_embeddings in "));
        Assert.That(Path.Exists(_predict.Folder["out.tsv"]), Is.False);
    }

    [Test]
    public void Numbers_that_are_not_finite_are_refused_of_tokens_too()
    {
        var model = OnnxModel.Load(Exports.Path("esm-mini/tokencls.ts-sdpa"));
        var head = ParameterNames.Of(model).First(name => name.Name == "classifier.bias").Initializer;
        var bias = model.Graph.Find(head)!;
        bias.Constant = OnnxTensor.Of<float>([.. bias.Constant!.Dims], Enumerable.Repeat(float.NaN, (int)bias.Constant.Count).ToArray());
        model.Save(_predict.Folder["nan.onnx"]);
        var rows = _predict.Folder.Write("rows.fasta", ">a\nMKTA\n");

        _predict.Refused("LRT632", "predict", _predict.Folder["nan.onnx"], "--tokenizer", Fixtures.Path("models", "esm-mini"), "--input", rows, "-o", _predict.Folder["out.tsv"]);
    }

    [Test]
    public void A_pair_that_only_later_rows_have_is_not_left_out()
    {
        var rows = _predict.Folder.Write("rows.jsonl", """
            {"text": "One."}
            {"text": "Two.", "pair": "Three."}

            """);

        _predict.Refused("LRT505", "predict", _predict.Model, "--adapter", _predict.Adapter, "--input", rows, "-o", _predict.Folder["out.tsv"]);
    }

    [Test]
    public void Standard_input_is_not_read_where_the_output_is_refused()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var shell = new Shell(output, error, CancellationToken.None) { OpenInput = () => throw new AssertionException("it was read") };

        var code = Application.Run(["predict", _predict.Recipe, "--input", "-", "-o", _predict.Folder["out.parquet"]], shell);

        Assert.That((code, error.ToString()), Is.EqualTo((2, error.ToString())));
        Assert.That(error.ToString(), Does.Contain("LRT633"));
    }

    [TestCase("sentence\n", "LRT508")]
    [TestCase("", "LRT508")]
    [TestCase("text\nfine\n", "LRT505")]
    public void Rows_that_cannot_be_read_are_refused_in_one_sentence(string rows, string code)
    {
        var input = _predict.Folder.Write("rows.tsv", rows);

        _predict.Refused(code, "predict", _predict.Recipe, "--adapter", _predict.Adapter, "--input", input, "-o", _predict.Folder["out.tsv"]);
    }

    [Test]
    public void A_decoder_without_a_head_is_refused_in_one_sentence()
    {
        var llama = Path.Combine(Fixtures.Repository, "models", "llama-mini");

        _predict.Refused("LRT630", "predict", llama, "--input", _predict.Texts(), "-o", _predict.Folder["out.tsv"]);
    }

    [Test]
    public void Several_labels_for_a_text_are_refused() =>
        _predict.Refused("LRT634", "predict", _predict.ModelWith("problem_type", "\"multi_label_classification\""), "--input", _predict.Texts(), "-o", _predict.Folder["out.tsv"]);

    [Test]
    public void Stopped_it_leaves_nothing()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();

        var code = Application.Run(["predict", _predict.Recipe, "--input", _predict.Rows, "-o", _predict.Folder["out.tsv"]], output, error, new CancellationToken(canceled: true));

        Assert.That((code, File.Exists(_predict.Folder["out.tsv"]), output.ToString()), Is.EqualTo((130, false, string.Empty)), error.ToString());
    }

    [TestCase("out.parquet")]
    [TestCase("out.json")]
    [TestCase("-")]
    public void Another_format_of_the_output_is_refused(string output) =>
        _predict.Refused("LRT633", "predict", _predict.Recipe, "--input", _predict.Rows, "-o", output == "-" ? output : _predict.Folder[output]);

    [Test]
    public void An_existing_output_is_replaced_only_with_force()
    {
        var output = _predict.Folder.Write("out.tsv", "mine");

        Assert.That(CommandLine.Run("predict", _predict.Recipe, "--input", _predict.Rows, "-o", output).Error, Does.Contain("LRT102"));
        Assert.That(File.ReadAllText(output), Is.EqualTo("mine"));
        Assert.That(CommandLine.Run("predict", _predict.Recipe, "--input", _predict.Rows, "-o", output, "--force").ExitCode, Is.Zero);
        Assert.That(CommandLine.Run("predict", _predict.Recipe, "--input", _predict.Rows, "-o", _predict.Rows, "--force").Error, Does.Contain("LRT701"));
    }

    [TestCase("--model", "m.onnx")]
    [TestCase("--set", "data.maxLength=8")]
    public void What_is_for_recipes_is_refused_beside_a_model(string option, string value) =>
        Assert.That(CommandLine.Run("predict", _predict.Model, "--input", _predict.Rows, "-o", _predict.Folder["out.tsv"], option, value).Error, Does.Contain("LRT807"));
}
