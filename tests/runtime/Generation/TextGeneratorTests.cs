using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime.Generation;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests.Generation;

internal sealed class TextGeneratorTests
{
    private const string Prompt = "In the beginning";

    private static string Tokenizer => Fixtures.Path("models", "llama-mini", "hf");

    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/external/ts-sdpa")]
    [TestCase("llama-mini/dynamo18")]
    [TestCase("llama-mini/dynamo23")]
    [TestCase("llama-mini/optimum-past")]
    [TestCase("llama-mini/genai")]
    [TestCase("llama-mini/genai-qkv")]
    public void Greedy_texts_are_those_of_PyTorch(string export)
    {
        using var generator = Open(OnnxModel.Load(Exports.Path(export)));
        using var golden = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("models", "llama-mini", "reference", "greedy.json")));

        foreach (var expected in golden.RootElement.EnumerateArray())
        {
            var text = generator.Continue(expected.GetProperty("prompt").GetString()!, new GenerationOptions { MaxTokens = 40 });

            Assert.That(text.Prompt, Is.EqualTo(Ids(expected, "prompt_ids")));
            Assert.That(text.Ids, Is.EqualTo(Ids(expected, "new_ids")));
            Assert.That(text.Text.TrimStart(), Is.EqualTo(expected.GetProperty("text").GetString()));   // decoded apart from the prompt there, so without the first space
        }
    }

    [TestCase(0.0)]
    [TestCase(0.9)]
    public void A_cache_changes_nothing(double temperature)
    {
        var options = new GenerationOptions { MaxTokens = 60, Sampling = new SamplingOptions { Temperature = temperature, TopP = 0.9, Seed = 4 } };
        using var whole = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));
        using var cached = Open(OnnxModel.Load(Exports.Path("llama-mini/optimum-past")));

        Assert.That(cached.Continue(Prompt, options).Ids, Is.EqualTo(whole.Continue(Prompt, options).Ids));
    }

    [TestCase("llama-mini/optimum-past")]
    [TestCase("llama-mini/genai")]
    public void Cache_that_begins_with_a_prefix_does_what_the_prefix_does_in_the_graph(string export)
    {
        var (plain, model) = (OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), UnderstoodModel.Of(OnnxModel.Load(Exports.Path(export))));
        var plan = AdapterPlan.Of(model, new AdapterOptions { Method = "prefix" });
        var factors = plan.Factors.ToDictionary(factor => factor.Name, factor => RandomTensor.Normal(factor.Name, [.. factor.Dims]), StringComparer.Ordinal);
        var adapter = Adapter.Of(plan, BaseModels.Describe(model, plan), factors, 0);
        using var whole = Open(AdaptedModels.WithSideBranches(plain, adapter, allowOtherBase: false, LortaCatalog.Default));
        using var cached = Open(model.Deployed, InitialCache.Of(model, adapter, false, new OrtEngine()));
        using var without = Open(plain);

        var text = cached.Continue(Prompt, new()).Ids;

        Assert.That(text, Is.EqualTo(whole.Continue(Prompt, new()).Ids));
        Assert.That(text, Is.Not.EqualTo(without.Continue(Prompt, new()).Ids));
    }

    [Test]
    public void Cache_has_one_length_in_all_layers()
    {
        var model = UnderstoodModel.Of(OnnxModel.Load(Exports.Path("llama-mini/optimum-past")));
        var plan = AdapterPlan.Of(model, new AdapterOptions { Method = "prefix", Layers = LayerChoice.Of([0, 2]) });
        var adapter = Adapter.Of(plan, BaseModels.Describe(model, plan), plan.Factors.ToDictionary(factor => factor.Name, factor => factor.Draw(0), StringComparer.Ordinal), 0);

        var failure = Assert.Throws<LortaException>(() => InitialCache.Of(model, adapter, false, new OrtEngine()))!;

        Assert.That(failure.Code, Is.EqualTo("LRT329"));
        Assert.That(failure.Message, Does.Contain("past_key_values.1.key").And.Contain("one length in all layers"));
    }

    [TestCase(1, 32)]
    [TestCase(3, 40)]
    public void An_export_of_a_fixed_size_continues_texts_up_to_its_length(int rows, int length)
    {
        using var dynamic = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));
        using var fixedSize = Open(FixedModels.WithSizes(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), rows, length));

        var text = fixedSize.Continue(Prompt, new GenerationOptions { MaxTokens = 60 });

        Assert.That((text.Prompt.Count + text.Ids.Count, text.End), Is.EqualTo((length, GenerationEnd.Positions)));
        Assert.That(text.Ids, Is.EqualTo(dynamic.Continue(Prompt, new GenerationOptions { MaxTokens = text.Ids.Count }).Ids));
    }

    [Test]
    public void An_export_for_one_token_at_a_time_reads_the_prompt_token_by_token()
    {
        using var dynamic = Open(OnnxModel.Load(Exports.Path("llama-mini/optimum-past")));
        using var single = Open(FixedModels.WithSizes(OnnxModel.Load(Exports.Path("llama-mini/optimum-past")), rows: 1, length: 1, "input_ids", "position_ids"));

        Assert.That(single.Continue(Prompt, new()).Ids, Is.EqualTo(dynamic.Continue(Prompt, new()).Ids));
    }

    [Test]
    public void A_half_precision_cache_is_carried_over()
    {
        using var single = Open(OnnxModel.Load(Exports.Path("llama-mini/optimum-past")));
        using var half = Open(WithHalfCache(OnnxModel.Load(Exports.Path("llama-mini/optimum-past"))));

        Assert.That(half.Continue(Prompt, new()).Ids.Take(30), Is.EqualTo(single.Continue(Prompt, new()).Ids.Take(30)));
    }

    [Test]
    public void Pieces_make_the_text_and_the_text_follows_the_prompt()
    {
        var pieces = new Pieces();
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));

        var text = generator.Continue(Prompt, new GenerationOptions { MaxTokens = 20 }, pieces);

        Assert.That(pieces.All, Has.Count.GreaterThan(10));
        Assert.That(string.Concat(pieces.All), Is.EqualTo(text.Text));
        Assert.That(text.Whole, Is.EqualTo(Prompt + text.Text));
    }

    [TestCase("[973, 5]", ExpectedResult = 3)]   // "of the LORD" and a comma, which ends it here
    [TestCase("261", ExpectedResult = 1)]
    [TestCase("271", ExpectedResult = 0)]
    public int An_end_token_ends_the_text_and_is_no_part_of_it(string ends)
    {
        using var folder = new PartialFolder(Tokenizer, "tokenizer.json", "tokenizer_config.json");
        folder.Write("genai_config.json", $$"""{ "model": { "eos_token_id": {{ends}} } }""");
        using var generator = new TextGenerator(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), folder.Path, new OrtEngineOptions(), TimeProvider.System);

        var text = generator.Continue(Prompt, new());

        Assert.That(text.End, Is.EqualTo(GenerationEnd.EndToken));
        return text.Ids.Count;
    }

    [Test]
    public void Positions_end_the_text_and_bound_the_prompt()
    {
        using var folder = new PartialFolder(Tokenizer, "tokenizer.json", "tokenizer_config.json");
        folder.Write("genai_config.json", """{ "model": { "context_length": 10 } }""");
        using var generator = new TextGenerator(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), folder.Path, new OrtEngineOptions(), TimeProvider.System);

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
        var initial = InitialCache.Of(model, adapter, false, new OrtEngine());
        using var generator = new TextGenerator(model.Deployed, folder.Path, new OrtEngineOptions(), TimeProvider.System, initial);

        var text = generator.Continue(Prompt, new());

        Assert.That((text.Prompt.Count, text.Ids.Count, text.End), Is.EqualTo((7, 3, GenerationEnd.Positions)));
    }

    [Test]
    public void A_prompt_that_begins_with_the_first_token_has_it_once()
    {
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));

        Assert.That(generator.Continue("<s>And", new() { MaxTokens = 1 }).Prompt.Count(id => id == 1), Is.EqualTo(1));
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
    public void A_character_of_several_tokens_comes_whole()
    {
        var folder = Fixtures.Path("models", "smollm2");
        var (pieces, tokenizer) = (new Pieces(), Runtime.Tokenizers.TextTokenizer.Load(folder));
        var ids = tokenizer.Encode("said: 日本語 🙂 é");
        var text = new GrowingText(tokenizer, ids[..1], pieces);

        for (var count = 2; count <= ids.Length; count++) text.Grow(ids[..count]);
        var (whole, added) = text.Finish(ids);

        Assert.That((whole, added, string.Concat(pieces.All)), Is.EqualTo(("said: 日本語 🙂 é", ": 日本語 🙂 é", ": 日本語 🙂 é")));
        Assert.That(ids, Has.Length.GreaterThan(pieces.All.Count + 1), "some token is a part of a character");
    }

    private static TextGenerator Open(OnnxModel model, InitialCache? initial = null) => new(model, Tokenizer, new OrtEngineOptions(), TimeProvider.System, initial);

    private static IEnumerable<int> Ids(JsonElement golden, string name) => golden.GetProperty(name).EnumerateArray().Select(id => id.GetInt32());

    // The cache as float16 outside, float32 inside.
    private static OnnxModel WithHalfCache(OnnxModel model)
    {
        var (graph, tape) = (model.Graph, new Tape(model.Graph, onnxOnly: true));
        foreach (var past in graph.Inputs.Where(input => input.Name.StartsWith("past_key_values", StringComparison.Ordinal)).ToList())
        {
            var (name, shape, present) = (past.Name, past.Shape, graph.Find(past.Name.Replace("past_key_values", "present", StringComparison.Ordinal))!);
            graph.Rename(past, $"{name}.single");
            graph.RemoveInput(past);
            graph.ReplaceUses(past, tape[graph.AddInput(name, ElementType.Float16, shape)].Cast(ElementType.Float).Value);
            var half = tape[present].Cast(ElementType.Float16).Value;
            graph.Splice(present, new HashSet<Use>(), half);
            half.Declaration = default;
        }
        graph.Sort();
        return model;
    }

    private sealed class Pieces : IProgress<string>
    {
        public List<string> All { get; } = [];

        public void Report(string value) => All.Add(value);
    }
}
