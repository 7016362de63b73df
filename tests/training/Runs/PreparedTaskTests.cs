using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>What the data have to know of the model: its classes, and the labels that a loss of its own takes.</summary>
internal sealed class PreparedTaskTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Class_that_the_model_lacks_is_refused_with_file_and_line()
    {
        var file = _folder.Write("train.tsv", "text\tlabel\ngood\t1\nbad\t7\n");

        var failure = Assert.Throws<LortaException>(() => Open("classification", Exports.Path("roberta-mini/seqcls.ts-eager"), "roberta-mini").Dispose())!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT509", $"{file}, line 3: the label is '7', expected an index from 0 to 1.")));
    }

    [Test]
    public void No_names_are_no_other_number_of_classes()
    {
        _folder.Write("train.tsv", "text\tlabel\ngood\t1\n");

        Assert.That(() => Open("classification", Exports.Path("roberta-mini/seqcls.ts-eager"), "roberta-mini", "data.labels=[]").Dispose(), Throws.Nothing);
    }

    [TestCase("a", 1), TestCase("a, b, c", 3)]
    public void More_or_fewer_names_than_the_model_has_classes_are_refused(string names, int count)
    {
        _folder.Write("train.tsv", "text\tlabel\ngood\ta\n");

        var failure = Assert.Throws<LortaException>(() => Open("classification", Exports.Path("roberta-mini/seqcls.ts-eager"), "roberta-mini", $"data.labels=[{names}]").Dispose())!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT514", true)));
        Assert.That(failure.Message, Does.Contain($"names {count} class").And.Contain("has 2 classes"));
    }

    [TestCase(512, false), TestCase(513, true)]
    public void Rows_that_are_longer_than_a_file_states_are_a_warning_where_positions_are_computed(int length, bool isNamed)
    {
        _folder.Write("train.tsv", "text\nA day at sea.\nAnother one.\n");

        using var task = Open("causal-lm", Exports.Path("llama-mini/ts-sdpa"), "llama-mini/hf", $"data.maxLength={length}");

        Assert.That(task.Warnings.Any(text => text.StartsWith("data.maxLength: 513 is more than 512 tokens (max_position_embeddings in ", StringComparison.Ordinal)), Is.EqualTo(isNamed));
    }

    [Test]
    public void Tokens_that_the_model_does_not_know_are_refused()
    {
        var file = _folder.Write("train.tsv", "text\nA day at sea.\n");
        var other = Path.GetFileName(Fixtures.Path("models", "smollm2"));

        var failure = Assert.Throws<LortaException>(() => Open("causal-lm", Exports.Path("llama-mini/ts-sdpa"), other).Dispose())!;

        Assert.That(failure.Code, Is.EqualTo("LRT520"));
        Assert.That(failure.Message, Does.Match($@"^{Regex.Escape(file)}: the tokenizer \(.+smollm2\) yields the token id \d+, but the model has only 1024 tokens\.$"));
    }

    [TestCase("llama-mini/hf", null)]
    [TestCase("esm-mini", "has 33 tokens, the model 1,024: is it the model's?")]
    public void Tokenizer_with_far_fewer_tokens_than_the_model_is_a_warning(string tokenizer, string? warning)
    {
        _folder.Write("train.tsv", "text\nLAGVSERTIDPKQNFYMHWC\n");

        using var task = Open("causal-lm", Exports.Path("llama-mini/ts-sdpa"), tokenizer);

        Assert.That(task.Warnings.SingleOrDefault(text => text.StartsWith("The tokenizer (", StringComparison.Ordinal)), warning is null ? Is.Null : Does.EndWith(warning));
    }

    [TestCase("llama-mini/ts-sdpa", "llama-mini/hf", false)]
    [TestCase("esm-mini/mlm.ts-eager", "esm-mini", true)]
    public void Attention_that_sees_what_is_to_be_predicted_is_a_warning(string export, string tokenizer, bool isNamed)
    {
        _folder.Write("train.tsv", "text\nLAGVSERTIDPKQNFYMHWC\n");

        using var task = Open("causal-lm", Exports.Path(export), tokenizer);

        Assert.That(task.Warnings.Any(text => text.StartsWith("The model's attention sees the tokens after each token", StringComparison.Ordinal)), Is.EqualTo(isNamed));
    }

    [TestCase(256, null)]
    [TestCase(257, "data.maxLength: 257 is more than the 256 tokens that the model reads (max_position_embeddings in ")]
    public void Rows_that_are_longer_than_the_model_reads_are_refused(int length, string? message)
    {
        _folder.Write("train.tsv", "text\tlabel\ngood\t1\n");
        var model = Fixtures.Path("models", "roberta-mini", "hf-seqcls");

        PreparedTask Prepare() => Open("classification", Exports.Path("roberta-mini/seqcls.ts-eager"), $"roberta-mini/{Path.GetFileName(model)}", $"data.maxLength={length}");

        if (message is null) Assert.DoesNotThrow(() => Prepare().Dispose());
        else Assert.That(Assert.Throws<LortaException>(() => Prepare().Dispose())!.Message, Does.StartWith(message).And.Contain("config.json"));
    }

    // The same loss, computed by us or by the model itself.
    [TestCase("causal-lm", "llama-mini/ts-sdpa", "llama-mini/hf")]
    [TestCase("classification", "roberta-mini/seqcls.ts-eager", "roberta-mini")]
    [TestCase("regression", "roberta-mini/seqcls.ts-eager", "roberta-mini")]
    public void Loss_of_the_model_itself_gets_the_labels_that_it_wants(string task, string export, string tokenizer)
    {
        _folder.Write("train.tsv", "text\tlabel\nThe skates are snug.\t1\nI am dissatisfied, and will never order again.\t0\n");
        var model = OnnxModel.Load(Exports.Path(export));
        var (loss, _) = LortaCatalog.Default.LossOf(task).Write(new Tape(model.Graph, onnxOnly: true));
        model.Graph.Rename(loss.Value, "loss");
        model.Graph.ClearOutputs();
        model.Graph.AddOutput(loss.Value);
        model.Save(_folder["loss.onnx"]);

        Assert.That(Loss("loss", _folder["loss.onnx"], tokenizer), Is.EqualTo(Loss(task, Exports.Path(export), tokenizer)).Within(1e-6));
    }

    [Test]
    public void Loss_without_labels_counts_each_row_once()
    {
        _folder.Write("train.tsv", "text\nThe skates are snug.\nI am dissatisfied.\n");
        var model = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        var loss = new Tape(model.Graph, onnxOnly: true)[model.Graph.Outputs.Single()].Apply("ReduceMean", ("keepdims", 0));
        model.Graph.Rename(loss.Value, "loss");
        model.Graph.ClearOutputs();
        model.Graph.AddOutput(loss.Value);
        model.Save(_folder["loss.onnx"]);

        using var task = Open("loss", _folder["loss.onnx"], "roberta-mini");

        var batch = task.Data.Train.InOrder().Single();
        Assert.That((batch.LabelsFor(task.Graphs.Batches.Loss!), batch.Rows), Is.EqualTo((2L, 2)));
        Assert.That(task.Runtime.Accumulate(batch, weight: 1), Is.Not.Zero);
    }

    private double Loss(string task, string model, string tokenizer)
    {
        using var opened = Open(task, model, tokenizer);
        return opened.Runtime.Accumulate(opened.Data.Train.InOrder().Single(), weight: 1);
    }

    private PreparedTask Open(string task, string model, string tokenizer, params string[] settings)
    {
        var recipe = _folder.Write("recipe.yaml", $$"""
            model: {{model}}
            tokenizer: {{Fixtures.Path(["models", .. tokenizer.Split('/')])}}
            task: {{task}}
            adapter: { rank: 2, targets: [q] }
            data: { train: train.tsv }
            """);
        return PreparedTask.Of(RecipeFile.Load(recipe, LortaCatalog.Default, settings), new OrtEngineOptions { Threads = 1 }.ToEngine());
    }
}
