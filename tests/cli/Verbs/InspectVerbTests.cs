using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.Cli.Tests.Docs;
using LoRTA.Onnx.Cli.Verbs;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

internal sealed class InspectVerbTests
{
    private static readonly string[] Mlp = ["gate", "up", "down"];   // no golden has these; the tests of Attention compare them with names.json

    private static readonly (string Part, string Task)[] Tasks =
        [("llama-mini", "causal-lm"), ("smollm2", "causal-lm"), ("mlm.", "masked-lm"), ("seqcls.", "classification"), ("tokencls.", "token-classification")];

    private static IEnumerable<string> All => Exports.All;

    private static IEnumerable<object[]> WithTask => All.SelectMany(export => Tasks.Where(task => export.Contains(task.Part, StringComparison.Ordinal)).Select(task => new object[] { export, task.Task }));

    [TestCaseSource(nameof(All))]
    public void Json_equals_the_golden_sites(string export)
    {
        var (folder, key) = Exports.Split(export);
        var golden = JsonNode.Parse(File.ReadAllText(Fixtures.Path("models", folder, "sites.json")))![key]!.AsObject();

        var run = CommandLine.Run("inspect", Exports.Path(export), "--json");

        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
        var found = JsonNode.Parse(run.Output)!.AsObject();
        Assert.That(found["layers"]!.AsArray().Select(layer => layer!.AsObject().Where(pair => !Mlp.Contains(pair.Key)).Select(pair => Plainly(pair.Value!)).ToList()), Is.EqualTo(golden["layers"]!.AsArray().Select(layer => layer!.AsObject().Select(pair => Plainly(pair.Value!)).ToList())));
        foreach (var size in new[] { "hidden", "heads", "kvHeads", "headWidth" }) Assert.That(found[size]?.ToJsonString(), Is.EqualTo(golden[size]?.ToJsonString()), size);
    }

    [Test]
    public void A_model_without_attention_is_shown_before_it_fails()
    {
        var model = Fixtures.Path("field", "s1-added-token-normalized", "probe4.onnx");

        var (table, json) = (CommandLine.Run("inspect", model), CommandLine.Run("inspect", model, "--json"));

        Assert.That((table.ExitCode, json.ExitCode), Is.EqualTo((1, 1)));
        Assert.That(table.Output, Does.Match("architecture +no attention\n").And.Contain("inputs"));
        Assert.That(JsonNode.Parse(json.Output)!["layers"]!.AsArray(), Is.Empty);
        Assert.That(table.Error, Does.StartWith("error LRT201: probe4.onnx: no attention was found.\nhint: "));
    }

    [Test]
    public void Table_has_a_row_for_every_linear_layer()
    {
        var run = CommandLine.Run("inspect", Exports.Path("llama-mini/ts-sdpa"), "--sites");

        Assert.That(run.ExitCode, Is.Zero);
        foreach (var address in new[] { "layers.0.q", "layers.0.k", "layers.3.v", "layers.3.p" }) Assert.That(run.Output, Does.Contain(address));
    }

    [Test]
    public void Matrices_of_the_MLP_have_the_keys_of_the_others_and_no_heads()
    {
        var run = CommandLine.Run("inspect", Exports.Path("llama-mini/ts-sdpa"), "--json");

        var layer = JsonNode.Parse(run.Output)!["layers"]![0]!.AsObject();
        Assert.That(layer.Select(pair => pair.Key), Is.EqualTo(new[] { "index", "q", "k", "v", "p", "gate", "up", "down" }));
        foreach (var matrix in Mlp)
        {
            var site = layer[matrix]!.AsObject();
            Assert.That(site.Select(pair => pair.Key), Is.EqualTo(layer["p"]!.AsObject().Select(pair => pair.Key)));
            Assert.That(site["heads"], Is.Null);
        }
    }

    [Test]
    public void A_gate_that_is_not_there_has_no_key_and_no_row()
    {
        var (json, table) = (CommandLine.Run("inspect", Exports.Path("roberta-mini/seqcls.ts-eager"), "--json"), CommandLine.Run("inspect", Exports.Path("roberta-mini/seqcls.ts-eager"), "--sites"));

        Assert.That(JsonNode.Parse(json.Output)!["layers"]![0]!.AsObject().ContainsKey("gate"), Is.False);
        Assert.That(table.Output, Does.Contain("layers.0.up").And.Contain("layers.3.down").And.Not.Contain("gate"));
    }

    [Test]
    public void Table_shows_packing_quantisation_and_the_operator_of_attention()
    {
        var run = CommandLine.Run("inspect", Exports.Path("llama-mini/genai-int4"), "--sites");

        Assert.That(run.Output, Does.Contain("128–192").And.Contain("uint4, blocks of 32").And.Contain("GroupQueryAttention"));
    }

    [TestCaseSource(nameof(All))]
    public void The_summary_fits_on_one_screen(string export)
    {
        var lines = Results.Lines(InspectVerb.Of(UnderstoodModel.Of(OnnxModel.Load(Exports.Path(export)))).ToTable(), 79).ToList();

        Assert.That(lines, Has.Count.LessThanOrEqualTo(23));
        Assert.That(lines, Has.All.Length.LessThanOrEqualTo(79));
    }

    [TestCaseSource(nameof(WithTask))]
    public void Suitable_tasks_are_those_that_the_model_was_exported_for(string export, string task)
    {
        var found = SuitableTasks.Of(CanonicalModel.Of(OnnxModel.Load(Exports.Path(export))));

        Assert.That(found, Is.EqualTo(new[] { task }));
    }

    [Test]
    public void Decoders_are_recognised_where_the_export_fixes_the_length([Values("llama-mini/ts-sdpa", "llama-mini/ts-eager", "llama-mini/dynamo18")] string export)
    {
        var model = FixedModels.WithSizes(OnnxModel.Load(Exports.Path(export)), 1, 32);

        Assert.That(SuitableTasks.IsCausal(CanonicalModel.Of(model)), Is.True);
    }

    [TestCase("llama-mini", 512)]
    [TestCase("roberta-mini", 256)]   // two rows of its table of 258 are behind no token
    public void Positions_and_tokenizer_come_from_the_files_beside_the_model(string model, int positions)
    {
        var run = CommandLine.Run("inspect", Repository.Path($"models/{model}"), "--json");

        var json = JsonNode.Parse(run.Output)!;
        Assert.That(json["positions"]!.GetValue<int>(), Is.EqualTo(positions));
        Assert.That(json["tokenizer"]!["file"]!.GetValue<string>(), Is.EqualTo("tokenizer.json"));
    }

    [Test]
    public void Layers_that_are_alike_are_one_line_of_the_summary()
    {
        var run = CommandLine.Run("inspect", Exports.Path("llama-mini/genai-int4"));

        Assert.That(run.Output, Does.Contain("4 × q 128→128, k 128→64, v 128→64,").And.Contain("uint4, blocks of 32").And.Contain("q k v packed"));
        Assert.That(run.Output, Does.Contain("8 × past_key_values.N… float [").And.Not.Contain("layers.0.q"));
    }


    [Test]
    public void Explain_says_where_reading_stopped_what_came_closest_and_what_is_missing()
    {
        var run = CommandLine.Run("inspect", Architectures.All.Single(architecture => architecture.Name == "xlnet").Path, "--explain", "--json");

        Assert.That(run.ExitCode, Is.EqualTo(1));
        var first = JsonNode.Parse(run.Output)!["explanations"]![0]!;
        Assert.That(first["lookedFor"]!.GetValue<string>(), Is.EqualTo("layers.0.q"));
        Assert.That((first["op"]!.GetValue<string>(), first["node"]!.GetValue<string>()), Is.EqualTo(("Einsum", "/layers.0/attn/Einsum")));
        Assert.That(first["declined"]!.AsArray().Select(form => form!.GetValue<string>()),
            Is.EqualTo(new[] { "matrix product as Einsum: its equation is not a product of two matrices, or a shape is not known" }));
        Assert.That(first["remedy"]!.GetValue<string>(), Is.EqualTo("a step in ProjectionWalk.TowardsProjection (graphgen/Attention/Walks/ProjectionWalk.cs) for Einsum"));
    }

    [Test]
    public void Explain_lists_the_forms_of_what_was_understood()
    {
        var run = CommandLine.Run("inspect", Architectures.All.Single(architecture => architecture.Name == "qwen3").Path, "--explain", "--json");

        Assert.That(JsonNode.Parse(run.Output)!["forms"]!["layers.1.q"]!.AsArray().Select(form => form!.GetValue<string>()), Is.EqualTo(new[] { "rotary embedding", "move axes", "norm of each head", "split or merge heads" }));
    }

    [Test]
    public void Graph_names_nodes_after_modules_marks_the_sites_and_states_shapes()
    {
        using var folder = new TestFolder();

        Assert.That(CommandLine.Run("inspect", Exports.Path("llama-mini/dynamo18"), "--graph", folder["graph.onnx"]).ExitCode, Is.Zero);

        var graph = OnnxModel.Load(folder["graph.onnx"]).Graph;
        var product = graph.Nodes.Single(node => node.Metadata.GetValueOrDefault("lorta.site") == "layers.2.v");
        Assert.That((product.Name, product.OpType), Is.EqualTo(("/model/layers/2/self_attn/v_proj/MatMul", "MatMul")));
        Assert.That(product.Output.Shape?[-1].Value, Is.EqualTo(64));
    }

    [Test]
    public void Weights_lists_the_parameters_by_their_names_in_PyTorch()
    {
        var run = CommandLine.Run("inspect", Exports.Path("roberta-mini/seqcls.ts-eager"), "--weights", "--json");

        Assert.That(JsonNode.Parse(run.Output)!["parameterNames"]!.AsObject().Select(pair => pair.Key), Does.Contain("classifier.out_proj.weight"));
    }

    // Keys in one order, without what the goldens leave out.
    private static string Plainly(JsonNode node) => node is JsonObject site
        ? string.Join(", ", site.Where(pair => pair.Key != "quantization").OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value?.ToJsonString() ?? "null"}"))
        : node.ToJsonString();
}
