using System.Numerics.Tensors;
using System.Text.Json;
using LoRTA.Onnx.Tests.Shared;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Tokenizers;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Runs the classifier in C# of <c>docs/deploying.md</c>.</summary>
internal sealed class DeployingTests
{
    private const string Text = "A café, naïve and fine — 日本語 🙂; said  she:\n yes.";

    private TestFolder _folder = null!;

    [SetUp]
    public void Create() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void The_page_shows_the_method_that_is_run_here() =>
        Assert.That(PageBlock.Of("docs/deploying.md").First(block => block.Language == "csharp").IsMethodOf("tests/cli/Docs/DeployingTests.cs"));

    [Test]
    public void A_deployed_classifier_gives_the_probabilities_that_the_command_predicts()
    {
        var (model, deployed) = (Repository.Path("models/roberta-mini"), _folder["deployed"]);
        string[] shortened = ["--set", "train.epochs=1", "--set", $"data.train={_folder.Write("rows.tsv", "sentence\tlabel\ngood\tpositive\nbad\tnegative\nfine\tpositive\n")}"];
        Run(["train", Repository.Path("models/recipes/reviews.yaml"), "-o", _folder["run"], .. shortened]);
        Run("export", model, "--adapter", _folder["run"], "-o", deployed);
        Run("predict", deployed, "--input", _folder.Write("texts.jsonl", JsonSerializer.Serialize(new { text = Text })), "-o", _folder["expected.jsonl"]);

        var scores = Classify(deployed, Text);

        using var expected = JsonDocument.Parse(File.ReadAllText(_folder["expected.jsonl"]));
        Assert.That(scores.Keys, Is.EqualTo(new[] { "negative", "positive" }));
        foreach (var (label, score) in scores) Assert.That(score, Is.EqualTo(expected.RootElement.GetProperty(label).GetSingle()).Within(1e-6), label);
    }

    // page
    private static Dictionary<string, float> Classify(string folder, string text)
    {
        // RoBERTa's tokenizer. For BERT: BertTokenizer.Create(Path.Combine(folder, "vocab.txt"), new() { RemoveNonSpacingMarks = true })
        var tokenizer = BpeTokenizer.Create(new BpeOptions(Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"))
        {
            ByteLevel = true,
            PreTokenizer = RobertaPreTokenizer.Instance,
            UnknownToken = "<unk>",
            BeginningOfSentenceToken = "<s>",
            EndOfSentenceToken = "</s>",
        });
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json")));
        using var session = new InferenceSession(Path.Combine(folder, "model.onnx"));

        long[] ids = [.. tokenizer.EncodeToIds(text).Select(id => (long)id)];
        using var tokens = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]);
        using var mask = OrtValue.CreateTensorValueFromMemory(ids.Select(_ => 1L).ToArray(), [1, ids.Length]);
        using var types = OrtValue.CreateTensorValueFromMemory(new long[ids.Length], [1, ids.Length]);
        var all = new Dictionary<string, OrtValue> { ["input_ids"] = tokens, ["attention_mask"] = mask, ["token_type_ids"] = types };
        var inputs = session.InputNames.ToDictionary(name => name, name => all[name]);

        using var options = new RunOptions();
        using var outputs = session.Run(options, inputs, ["logits"]);
        var logits = outputs[0].GetTensorDataAsSpan<float>();
        var scores = new float[logits.Length];
        TensorPrimitives.SoftMax(logits, scores);
        var labels = config.RootElement.GetProperty("id2label");
        return Enumerable.Range(0, scores.Length).ToDictionary(i => labels.GetProperty($"{i}").GetString()!, i => scores[i]);
    }
    // end

    private static void Run(params string[] args)
    {
        var run = CommandLine.Run([.. args, "--quiet"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
    }
}
