using System.Text;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Verbs;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

internal sealed class GenerateVerbTests
{
    private const string Prompt = "In the beginning";

    private TestFolder _folder = null!;

    [SetUp]
    public void Make() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void Json_holds_the_continuation_and_its_numbers()
    {
        var json = Json("llama-mini/ts-sdpa", "--max-tokens", "5");

        Assert.That(json.Select(field => field.Key), Is.EqualTo(new[] { "text", "tokens", "tokensPerSecond", "promptTokens", "seconds", "end", "ids" }));
        Assert.That(json["text"]!.GetValue<string>(), Is.EqualTo(" of the LORD, and"));
        Assert.That((json["tokens"]!.GetValue<int>(), json["promptTokens"]!.GetValue<int>(), json["end"]!.GetValue<string>()), Is.EqualTo((5, 7, "maxTokens")));
        Assert.That(json["tokensPerSecond"]!.GetValue<double>(), Is.Positive);
        Assert.That(json["ids"]!.AsArray().Select(id => id!.GetValue<int>()), Is.EqualTo(new[] { 271, 261, 369, 973, 270 }));
    }

    [Test]
    public void A_person_reads_the_text_alone_on_standard_output()
    {
        var run = Run("llama-mini/ts-sdpa", "--max-tokens", "5");

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((0, " of the LORD, and\n")));
        Assert.That(run.Error, Does.Match(@"^5 tokens in \d+\.\d\d s, \d+\.\d tokens/s\n$"));
    }

    [Test]
    public void A_prompt_is_read_from_a_file_without_its_last_line_break()
    {
        var run = Prompted($"@{_folder.Write("prompt.txt", Prompt + "\r\n")}");

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((0, " of the LORD, and\n")), run.Error);
    }

    [Test]
    public void A_prompt_is_read_from_standard_input()
    {
        var run = Prompted("-");

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((0, " of the LORD, and\n")), run.Error);
    }

    [TestCase("none.txt", "LRT101")]
    [TestCase("bytes", "LRT105")]
    public void A_prompt_file_that_is_missing_or_no_text_is_named(string file, string code)
    {
        File.WriteAllBytes(_folder["bytes"], [0xff, 0xfe, 0x00]);

        var run = Prompted($"@{_folder[file]}");

        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.StartWith($"error {code}").And.Contain(file));
    }

    [Test]
    public void A_seed_gives_one_text()
    {
        string[] Sample(string seed) => [Text("llama-mini/optimum-past", "--temperature", "1", "--top-k", "50", "--seed", seed, "--max-tokens", "30")];

        var (first, again, other) = (Sample("1"), Sample("1"), Sample("2"));
        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    [Test]
    public void The_tokenizer_is_looked_for_beside_the_model()
    {
        File.Copy(Exports.Path("llama-mini/ts-sdpa"), _folder["model.onnx"]);
        foreach (var name in new[] { "tokenizer.json", "tokenizer_config.json" }) File.Copy(Path.Combine(Tokenizer, name), _folder[name]);

        foreach (var model in new[] { _folder.Path, _folder["model.onnx"] })
        {
            var run = CommandLine.Run("generate", model, "--prompt", Prompt, "--max-tokens", "5", "--quiet");
            Assert.That((run.ExitCode, run.Output, run.Error), Is.EqualTo((0, " of the LORD, and\n", string.Empty)));
        }
    }

    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/optimum-past")]
    public void An_adapter_beside_the_model_writes_what_the_folded_model_writes(string export)
    {
        var adapter = Adapter();
        Assert.That(CommandLine.Run("export", Exports.Path(export), "--adapter", adapter, "-o", _folder["folded.onnx"]).ExitCode, Is.Zero);

        var (plain, beside) = (Text(export), Text(export, "--adapter", adapter));

        Assert.That(beside, Is.Not.EqualTo(plain));
        Assert.That(TextOf(CommandLine.Run("generate", _folder["folded.onnx"], "--tokenizer", Tokenizer, "--prompt", Prompt, "--json")), Is.EqualTo(beside));
    }

    [Test]
    public void Trained_parameters_of_the_model_are_no_side_branch()
    {
        var adapter = GraphGen.Adapter.Load(Adapter());
        (adapter with { Config = adapter.Config with { Trainables = ["model.norm.weight"] }, Tensors = new Dictionary<string, OnnxTensor>(adapter.Tensors, StringComparer.Ordinal) { ["param.model.norm.weight"] = OnnxTensor.Of<float>([1], [1]) } }).Save();

        var run = Run("llama-mini/ts-sdpa", "--adapter", adapter.Path);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, string.Empty)));
        Assert.That(run.Error, Does.StartWith("error LRT322").And.Contain("model.norm.weight"));
    }

    [TestCase("llama-mini/ts-sdpa", "", "LRT621")]
    [TestCase("roberta-mini/seqcls.ts-eager", Prompt, "LRT620")]
    [TestCase("esm-mini/mlm.ts-eager", Prompt, "LRT623")]
    public void What_cannot_go_on_is_one_sentence(string export, string prompt, string code)
    {
        var run = CommandLine.Run("generate", Exports.Path(export), "--tokenizer", Tokenizer, "--prompt", prompt);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((code == "LRT621" ? 2 : 1, string.Empty)));
        Assert.That(run.Error, Does.Match($"^error {code}: .+\nhint: .+\n$"));
    }

    [Test]
    public void A_tokenizer_of_another_model_is_named()
    {
        var run = CommandLine.Run("generate", Exports.Path("llama-mini/ts-sdpa"), "--tokenizer", Fixtures.Path("models", "smollm2"), "--prompt", Prompt);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, string.Empty)));
        Assert.That(run.Error, Does.Match("^error LRT623: .+\nhint: .+\n$"));
    }

    [Test]
    public void A_model_without_tokenizer_says_so()
    {
        File.Copy(Exports.Path("llama-mini/ts-sdpa"), _folder["model.onnx"]);

        var run = CommandLine.Run("generate", _folder.Path, "--prompt", Prompt);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, string.Empty)));
        Assert.That(run.Error, Does.StartWith("error LRT501"));
    }

    [TestCase("--temperature", "-1", "a number >= 0")]
    [TestCase("--temperature", "NaN", "a number >= 0")]
    [TestCase("--top-k", "0", ">= 1")]
    [TestCase("--top-p", "0", "> 0 and <= 1")]
    [TestCase("--top-p", "1.5", "> 0 and <= 1")]
    [TestCase("--max-tokens", "0", ">= 1")]
    public void Options_are_checked(string option, string value, string rule)
    {
        var run = Run("llama-mini/ts-sdpa", option, value);

        Assert.That((run.ExitCode, run.Error.Split('\n')[0]), Is.EqualTo((2, $"error: {option}: must be {rule}, was {value}.")));
    }

    // Standard input holds the prompt.
    private static CommandLine Prompted(string prompt)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var shell = new Shell(output, error, CancellationToken.None) { OpenInput = () => new MemoryStream(Encoding.UTF8.GetBytes(Prompt + "\n")) };
        var code = Application.Run(["generate", Exports.Path("llama-mini/ts-sdpa"), "--tokenizer", Tokenizer, "--prompt", prompt, "--max-tokens", "5"], shell, [GenerateVerb.Create()]);
        return new(code, output.ToString(), error.ToString());
    }

    private static string Tokenizer => Fixtures.Path("models", "llama-mini", "hf");

    private static CommandLine Run(string export, params string[] options) => CommandLine.Run(["generate", Exports.Path(export), "--tokenizer", Tokenizer, "--prompt", Prompt, .. options]);

    private static JsonObject Json(string export, params string[] options) => JsonOf(Run(export, [.. options, "--json"]));

    private static string Text(string export, params string[] options) => Json(export, options)["text"]!.GetValue<string>();

    private static string TextOf(CommandLine run) => JsonOf(run)["text"]!.GetValue<string>();

    private static JsonObject JsonOf(CommandLine run)
    {
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return JsonNode.Parse(run.Output)!.AsObject();
    }

    // The golden's factors, none of which is zero.
    private string Adapter()
    {
        var run = CommandLine.Run("inject", Exports.Path("llama-mini/ts-sdpa"), "-o", _folder["injected.onnx"], "--rank", "4", "--alpha", "16", "--targets", "q,v", "--factors", Goldens.Path("llama-mini/causal-lm.lorta"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return _folder["injected.adapter"];
    }
}
