using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class TextEndTests
{
    private const string Prompt = "In the beginning";
    private const int Lord = 369;
    private static readonly OrtEngine Engine = new();

    private static string Tokenizer => Fixtures.Path("models", "llama-mini", "hf");

    [TestCase("[973, 5]", ExpectedResult = 3)]   // "of the LORD" and a comma, which ends it here
    [TestCase("261", ExpectedResult = 1)]
    [TestCase("271", ExpectedResult = 0)]
    public int An_end_token_ends_the_text_and_is_no_part_of_it(string ends)
    {
        using var folder = new PartialFolder(Tokenizer, "tokenizer.json", "tokenizer_config.json");
        folder.Write("genai_config.json", $$"""{ "model": { "eos_token_id": {{ends}} } }""");
        using var generator = new TextGenerator(Engine, OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), new() { Tokenizer = folder.Path });

        var text = generator.Continue(Prompt, new());

        Assert.That(text.End, Is.EqualTo(GenerationEnd.EndToken));
        return text.Ids.Count;
    }

    [Test]
    public void Positions_end_the_text_and_bound_the_prompt()
    {
        using var folder = new PartialFolder(Tokenizer, "tokenizer.json", "tokenizer_config.json");
        folder.Write("genai_config.json", """{ "model": { "context_length": 10 } }""");
        using var generator = new TextGenerator(Engine, OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), new() { Tokenizer = folder.Path });

        var text = generator.Continue(Prompt, new());

        Assert.That((text.Prompt.Count, text.Ids.Count, text.End), Is.EqualTo((7, 3, GenerationEnd.Positions)));
        Assert.That(() => generator.Continue(Prompt + Prompt, new()), Throws.InstanceOf<LortaException>().With.Property("Code").EqualTo("LRT622"));
    }

    [Test]
    public void Positions_that_the_cache_takes_are_not_left_for_the_text()
    {
        using var folder = new PartialFolder(Tokenizer, "tokenizer.json", "tokenizer_config.json");
        folder.Write("genai_config.json", """{ "model": { "context_length": 20 } }""");
        var model = UnderstoodModel.Of(OnnxModel.Load(Exports.Path("llama-mini/optimum-past")));
        var plan = AdapterPlan.Of(model, new AdapterOptions { Method = "prefix" });
        var adapter = Adapter.Of(plan, BaseModels.Describe(model, plan), plan.Factors.ToDictionary(factor => factor.Name, factor => factor.Draw(0), StringComparer.Ordinal), 0);
        using var generator = new TextGenerator(Engine, model.Deployed, new() { Tokenizer = folder.Path, Adapter = adapter });

        var text = generator.Continue(Prompt, new());

        Assert.That((text.Prompt.Count, text.Ids.Count, text.End), Is.EqualTo((7, 3, GenerationEnd.Positions)));
    }

    [Test]
    public void Stopping_keeps_what_was_written()
    {
        using var stop = new CancellationTokenSource();
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));
        stop.Cancel();

        var text = generator.Continue(Prompt, new(), stop: stop.Token);

        Assert.That((text.Ids.Count, text.End), Is.EqualTo((1, GenerationEnd.Stopped)));
    }

    [Test]
    public void A_model_that_is_stopped_while_it_computes_ends_the_text()
    {
        using var stop = new CancellationTokenSource();
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));
        var pieces = generator.Stream(Prompt, new(), stop.Token);
        stop.Cancel();
        using var asked = StopRequest.Under(stop.Token);   // which runs of the model heed

        var text = pieces.Last().Result!;

        Assert.That((text.Text, text.Ids.Count, text.End), Is.EqualTo((string.Empty, 0, GenerationEnd.Stopped)));
    }

    [Test]
    public void A_stop_text_ends_the_text_and_no_piece_of_it_is_given()
    {
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));

        var pieces = generator.Stream(Prompt, new() { StopTexts = ["ORD, but", " LORD, and"] }).ToList();

        Assert.That(string.Concat(pieces.Select(piece => piece.Text)), Is.EqualTo(" of the"));
        Assert.That((pieces[^1].Result!.Text, pieces[^1].Result!.End), Is.EqualTo((" of the", GenerationEnd.StopText)));
    }

    [Test]
    public void A_stop_token_ends_the_text_and_is_no_part_of_it()
    {
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));

        var text = generator.Continue(Prompt, new() { StopTokens = [Lord] });

        Assert.That((text.Text, text.End), Is.EqualTo((" of the", GenerationEnd.EndToken)));
    }

    [Test]
    public void What_looked_like_a_stop_text_is_given_after_all()
    {
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));

        var text = generator.Continue(Prompt, new() { MaxTokens = 5, StopTexts = [" LORD, but", "and the"] });

        Assert.That((text.Text, text.End), Is.EqualTo((" of the LORD, and", GenerationEnd.MaxTokens)));
    }

    [Test]
    public void A_special_token_among_the_stop_texts_ends_the_text_as_a_token()
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(Tokenizer, "tokenizer.json")))!;
        json["added_tokens"]!.AsArray().Add(new JsonObject { ["id"] = Lord, ["content"] = "▁LORD", ["special"] = true, ["normalized"] = false });
        using var folder = new PartialFolder(Tokenizer, "tokenizer_config.json");
        folder.Write("tokenizer.json", json.ToJsonString());
        using var generator = new TextGenerator(Engine, OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), new() { Tokenizer = folder.Path });

        var text = generator.Continue(Prompt, new() { StopTexts = ["▁LORD"] });

        Assert.That((text.Text, text.End), Is.EqualTo((" of the", GenerationEnd.EndToken)));
        Assert.That((generator.HasToken("▁LORD"), generator.HasToken("the king of")), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_text_that_the_tokenizer_does_not_know_is_no_token()
    {
        var model = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "llama-mini"));
        using var generator = new TextGenerator(Engine, model, new() { Tokenizer = Fixtures.Path("models", "minilm") });

        Assert.That((generator.HasToken("the"), generator.HasToken("☃")), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_token_that_also_stands_for_the_unknown_is_itself()
    {
        var model = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "llama-mini"));
        using var generator = new TextGenerator(Engine, model, new() { Tokenizer = Fixtures.Path("models", "smollm2") });

        Assert.That(generator.HasToken("<|endoftext|>"));
    }

    private static TextGenerator Open(OnnxModel model, Adapter? adapter = null) => new(Engine, model, new() { Tokenizer = Tokenizer, Adapter = adapter });
}
