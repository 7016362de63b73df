using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta generate MODEL --prompt TEXT</c>.</summary>
internal static class GenerateVerb
{
    public static Verb Create()
    {
        var path = Arg.Model();
        var prompt = PromptText.Option();
        var adapter = Opt.Adapter();
        var seed = Opt.Seed();
        var runtime = new RuntimeArguments();
        var tokenizer = Opt.Path("--tokenizer", "The folder of the tokenizer (default: the model's).", "DIR");
        var allow = Opt.AllowBase();
        var tokens = Opt.AtLeastOne(Opt.Of("--max-tokens", "Largest number of tokens to write.", "N", 100));
        var temperature = Opt.NotNegative(
            Opt.Of("--temperature", "0 takes the most likely token; higher values make unlikely tokens more likely.", "T", 0.0));
        var topK = Opt.AtLeastOne(Opt.Of<int?>("--top-k", "Draw from the K most likely tokens.", "K"));
        var topP = Opt.Checked(
            Opt.Of("--top-p", "Draw from the most likely tokens whose probabilities reach P.", "P", 1.0),
            number => number is > 0 and <= 1,
            "must be > 0 and <= 1");
        return Verb.Define(
            "generate",
            "Continue a text with a decoder.",
            [path, prompt, adapter, allow, tokenizer, tokens, temperature, topK, topP, seed, .. runtime.Symbols],
            call =>
            {
                var sampling = new SamplingOptions
                {
                    Temperature = call.Get(temperature),
                    TopK = call.Get(topK),
                    TopP = call.Get(topP),
                    Seed = call.Get(seed) ?? 0,
                };
                using var engine = new OrtEngine(runtime.Settings(call));
                var model = OnnxModel.Load(call.Get(path));
                using var generator = new TextGenerator(engine, model, new()
                {
                    Tokenizer = call.Get(tokenizer),
                    Adapter = call.Get(adapter) is { } folder ? StoredAdapters.Load(folder, call.Catalog) : null,
                    AllowOtherBase = call.Get(allow),
                });
                var text = generator.Continue(
                    PromptText.Read(call, call.Get(prompt)),
                    new GenerationOptions { MaxTokens = call.Get(tokens), Sampling = sampling },
                    call.Text,
                    call.Stop);
                call.Text.EndLine();
                call.Progress.Report(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{text.Ids.Count} tokens in {text.Seconds:0.00} s, {text.TokensPerSecond:0.0} tokens/s"));
                return new GenerateResult(
                    text.Text, text.Ids.Count, text.TokensPerSecond, text.Prompt.Count, text.Seconds, text.End, text.Ids);
            });
    }
}

/// <summary>The JSON of <c>lorta generate</c>; a person has read the text by then.</summary>
internal sealed record GenerateResult(
    string Text, int Tokens, double TokensPerSecond, int PromptTokens, double Seconds, GenerationEnd End, IReadOnlyList<int> Ids)
    : IDocument
{
    public JsonNode ToJson() => JsonSerializer.SerializeToNode(this, Results.Json)!;

    public object? ToTable() => null;
}
