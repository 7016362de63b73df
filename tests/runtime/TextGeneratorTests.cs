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

namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class TextGeneratorTests
{
    private const string Prompt = "In the beginning";
    private static readonly OrtEngine Engine = new();

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
        using var whole = Open(plain, adapter);
        using var cached = Open(model.Deployed, adapter);
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

        var failure = Assert.Throws<LortaException>(() => InitialCache.Of(model, adapter, false, Engine))!;

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

    [Test]
    public void A_prompt_that_begins_with_the_first_token_has_it_once()
    {
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));

        Assert.That(generator.Continue("<s>And", new() { MaxTokens = 1 }).Prompt.Count(id => id == 1), Is.EqualTo(1));
    }

    [Test]
    public void The_last_of_the_streamed_pieces_has_the_result()
    {
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));

        var pieces = generator.Stream(Prompt, new() { MaxTokens = 5 }).ToList();

        Assert.That(string.Concat(pieces.Select(piece => piece.Text)), Is.EqualTo(" of the LORD, and"));
        Assert.That(pieces[..^1].Select(piece => piece.Result), Is.All.Null);
        Assert.That(pieces.SelectMany(piece => piece.Ids), Is.EqualTo(pieces[^1].Result!.Ids));
        Assert.That((pieces[^1].Result!.Text, pieces[^1].Result!.End), Is.EqualTo((" of the LORD, and", GenerationEnd.MaxTokens)));
    }

    [Test]
    public void Each_text_of_a_host_is_written_with_the_adapter_that_it_names()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/optimum-past"));
        var shape = new AdapterOptions { Method = "lora", Rank = 2, Targets = ["q", "v"] };
        var (first, second) = (Adapted(model, shape, seed: 1), Adapted(model, shape, seed: 2));
        using var host = new AdapterHost(Engine, model, shape);
        host.Add("first", first);
        host.Add("second", second);
        using var generator = new TextGenerator(host, Tokenizer);

        foreach (var (name, adapter) in new[] { ("first", first), ("second", second), (null, null) })
        {
            using var alone = Open(model, adapter);
            Assert.That(generator.Continue(Prompt, new() { Adapter = name }).Ids, Is.EqualTo(alone.Continue(Prompt).Ids), name);
        }
        Assert.That(generator.Continue(Prompt, new() { Adapter = "first" }).Ids, Is.Not.EqualTo(generator.Continue(Prompt).Ids));
    }

    [Test]
    public void Texts_are_written_side_by_side()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/optimum-past"));
        string[] prompts = [Prompt, "And the king", "The sea", "He said"];
        using var generator = Open(model);
        var alone = prompts.Select(prompt => generator.Continue(prompt, new() { MaxTokens = 20 }).Text).ToList();

        var together = prompts.AsParallel().AsOrdered().Select(prompt => generator.Continue(prompt, new() { MaxTokens = 20 }).Text).ToList();

        Assert.That(together, Is.EqualTo(alone));
    }

    [Test]
    public void A_text_that_was_begun_is_finished_when_its_adapter_is_removed()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/optimum-past"));
        var shape = new AdapterOptions { Method = "lora", Rank = 2, Targets = ["q", "v"] };
        using var host = new AdapterHost(Engine, model, shape);
        host.Add("a", Adapted(model, shape, seed: 1));
        using var generator = new TextGenerator(host, Tokenizer);
        var expected = generator.Continue(Prompt, new() { Adapter = "a", MaxTokens = 10 }).Text;
        using var pieces = generator.Stream(Prompt, new() { Adapter = "a", MaxTokens = 10 }).GetEnumerator();
        pieces.MoveNext();
        var text = pieces.Current.Text;

        host.Remove("a");

        while (pieces.MoveNext()) text += pieces.Current.Text;
        Assert.That(text, Is.EqualTo(expected));
        Assert.That(() => generator.Stream(Prompt, new() { Adapter = "a" }), Throws.InstanceOf<LortaException>().With.Property("Code").EqualTo("LRT618"));
    }

    [Test]
    public void A_generator_without_a_host_knows_no_adapter_by_name()
    {
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));

        Assert.That(() => generator.Stream(Prompt, new() { Adapter = "a" }), Throws.InstanceOf<LortaException>().With.Property("Code").EqualTo("LRT618"));
    }

    [Test]
    public void A_model_that_is_in_no_file_needs_a_tokenizer()
    {
        var file = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var model = new OnnxModel(file.Graph);
        foreach (var (domain, version) in file.OpsetVersions) model.OpsetVersions[domain] = version;
        using var generator = Open(model);

        Assert.That(generator.Continue(Prompt, new() { MaxTokens = 2 }).Text, Is.EqualTo(" of the"));
        Assert.Throws<ArgumentException>(() => new TextGenerator(Engine, model).Dispose());
    }

    [Test]
    public void A_closed_generator_writes_nothing()
    {
        var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));
        generator.Dispose();

        Assert.Throws<ObjectDisposedException>(() => generator.Continue(Prompt));
    }

    [Test]
    public void All_senseless_options_are_named_at_once()
    {
        using var generator = Open(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));
        var options = new GenerationOptions
        {
            MaxTokens = 0,
            Sampling = new() { Temperature = double.NaN, TopK = 0, TopP = 1.5 },
            StopTexts = [""],
        };

        var failure = Assert.Throws<LortaException>(() => generator.Continue(Prompt, options))!;

        Assert.That(failure.Message, Is.EqualTo("the options of generating: MaxTokens: must be >= 1, was 0; Temperature: must be a number >= 0, was NaN; "
            + "TopK: must be >= 1, was 0; TopP: must be > 0 and <= 1, was 1.5; StopTexts: holds an empty text."));
    }

    [Test]
    public void A_character_of_several_tokens_comes_whole()
    {
        var folder = Fixtures.Path("models", "smollm2");
        var tokenizer = Runtime.Tokenizers.TextTokenizer.Load(folder);
        var ids = tokenizer.Encode("said: 日本語 🙂 é");
        var text = new GrowingText(tokenizer, ids[..1]);

        var pieces = Enumerable.Range(2, ids.Length - 1).Select(count => text.Grow(ids[..count])).Where(piece => piece.Length > 0).ToList();
        var (left, added, whole) = text.Finish(ids);

        Assert.That((whole, added, string.Concat([.. pieces, left])), Is.EqualTo(("said: 日本語 🙂 é", ": 日本語 🙂 é", ": 日本語 🙂 é")));
        Assert.That(ids, Has.Length.GreaterThan(pieces.Count + 1), "some token is a part of a character");
    }

    private static TextGenerator Open(OnnxModel model, Adapter? adapter = null) => new(Engine, model, new() { Tokenizer = Tokenizer, Adapter = adapter });

    private static IEnumerable<int> Ids(JsonElement golden, string name) => golden.GetProperty(name).EnumerateArray().Select(id => id.GetInt32());

    // None of its factors is zero.
    private static Adapter Adapted(OnnxModel model, AdapterOptions shape, int seed)
    {
        var plan = AdapterPlan.Of(UnderstoodModel.Of(model), shape);
        var values = plan.Factors.ToDictionary(factor => factor.Name, factor => RandomTensor.Normal(factor.Name, factor.Dims, 0.3, seed), StringComparer.Ordinal);
        return DeployedInjection.WithInputs(model, shape, values, seed).Adapter;
    }

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
