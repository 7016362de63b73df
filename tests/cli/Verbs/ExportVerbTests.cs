using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

internal sealed class ExportVerbTests
{
    private static readonly string ShipLog = Path.Combine(Fixtures.Repository, "models", "recipes", "ship-log.yaml");

    private TestFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TestFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void The_report_on_a_quantised_file_states_the_error_of_weights_and_logits()
    {
        var report = Exported("llama-mini/genai-int4");

        Assert.That(report["rounding"]!["bits"]!.GetValue<int>(), Is.EqualTo(4));
        Assert.That(report["rounding"]!["maxRel"]!.GetValue<double>(), Is.GreaterThan(0));
        Assert.That(report["maxRelDiff"]!.GetValue<double>(), Is.GreaterThan(0));
        Assert.That(report["loss"], Is.Null);
    }

    [Test]
    public void What_computes_in_16_bits_itself_is_not_widened_and_the_note_says_so()
    {
        var report = Exported("llama-mini/fp16", "--widen");

        Assert.That(report["note"]?.GetValue<string>(), Does.Match("^--widen left \\d+ weights as float16: "));
    }

    [Test]
    public void With_data_it_states_the_losses_of_base_and_adapter_and_of_the_file()
    {
        var loss = Exported("llama-mini/genai-int4", "--data", ShipLog)["loss"]!;

        var (adapted, exported) = (loss["adapted"]!.GetValue<double>(), loss["exported"]!.GetValue<double>());
        Assert.That(exported, Is.Not.EqualTo(adapted).And.EqualTo(adapted).Within(0.5));
    }

    [Test]
    public void On_the_same_data_verify_gives_the_same_verdict()
    {
        var export = Exported("llama-mini/genai-int4", "--data", ShipLog);

        var (onData, onRandomTokens) = (Verified("--data", ShipLog), Verified());
        Assert.That(onData["ok"]!.GetValue<bool>(), Is.EqualTo(export["ok"]!.GetValue<bool>()));
        Assert.That(Kept(onData), Is.EqualTo(Kept(export)).Within(1e-4).And.Not.EqualTo(Kept(onRandomTokens)).Within(1e-4));

        JsonNode Verified(params string[] options) =>
            JsonNode.Parse(CommandLine.Run(["verify", Exports.Path("llama-mini/genai-int4"), _folder["out.onnx"],
                "--adapter", _folder["injected.adapter"], "--json", .. options]).Output)!;

        static double Kept(JsonNode result) => result["effectKept"]!.GetValue<double>();
    }

    [Test]
    public void Few_bits_are_rounded_for_the_data_of_the_adapters_run()
    {
        var named = Exported("llama-mini/genai-int4", "--data", ShipLog);
        var bytes = File.ReadAllBytes(_folder["out.onnx"]);
        MoveAdapterIntoRun(RecipeFile.Load(ShipLog, LortaCatalog.Default));

        var ofRun = Folded("llama-mini/genai-int4", "--adapter", _folder["run"], "--force");

        Assert.That(File.ReadAllBytes(_folder["out.onnx"]), Is.EqualTo(bytes));
        Assert.That(ofRun["effectKept"]!.GetValue<double>(), Is.EqualTo(named["effectKept"]!.GetValue<double>()));
        Assert.That(ofRun["note"]!.GetValue<string>(), Does.Contain($"the data of {_folder["run", "recipe.yaml"]}").And.Not.Contain("--data"));
    }

    [Test]
    public void Where_the_data_of_the_run_are_gone_the_note_asks_for_data()
    {
        var random = Exported("llama-mini/genai-int4");
        var recipe = RecipeFile.Load(ShipLog, LortaCatalog.Default);
        MoveAdapterIntoRun(recipe with { Data = recipe.Data with { Train = _folder["gone.txt"] } });

        var ofRun = Folded("llama-mini/genai-int4", "--adapter", _folder["run"], "--force");

        Assert.That(ofRun["effectKept"]!.GetValue<double>(), Is.EqualTo(random["effectKept"]!.GetValue<double>()));
        Assert.That(ofRun["note"]!.GetValue<string>(), Does.Contain("'--data RECIPE' rounds for that data"));
    }

    [Test]
    public void With_the_base_kept_both_losses_are_the_same()
    {
        var loss = Exported("llama-mini/genai-int4", "--keep-base", "--data", ShipLog)["loss"]!;

        Assert.That(loss["exported"]!.GetValue<double>(), Is.EqualTo(loss["adapted"]!.GetValue<double>()).Within(1e-6));
    }

    [TestCase("llama-mini/ts-sdpa", 2)]
    [TestCase("llama-mini/genai-int4", 3, Description = "the file with its weights rounded in two ways")]
    public void Base_and_result_are_each_brought_into_the_canonical_vocabulary_once(string export, int models)
    {
        Inject(export);
        var made = 0L;
        using var counting = Counting(Exports.Path(export), count => made += count);

        Assert.That(Folded(export, "--verify", "--data", ShipLog)["ok"]!.GetValue<bool>(), Is.True);
        Assert.That(made, Is.EqualTo(models));
    }

    [Test]
    public void Verify_brings_its_first_model_into_the_canonical_vocabulary_once()
    {
        const string Export = "llama-mini/genai-int4";
        Exported(Export);
        var made = 0L;
        using var counting = Counting(Exports.Path(Export), count => made += count);

        var run = CommandLine.Run(
            "verify", Exports.Path(Export), _folder["out.onnx"], "--adapter", _folder["injected.adapter"], "--data", ShipLog, "--quiet");

        Assert.That((run.Error, made), Is.EqualTo((string.Empty, 1L)));
    }

    // Tells of each time that a model is brought into the canonical vocabulary.
    private static MeterListener Counting(string model, Action<long> add)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Name == "lorta.canonical_models") listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) => add(Equals(tags[0].Value, model) ? count : 0));
        listener.Start();
        return listener;
    }

    private JsonNode Exported(string export, params string[] options)
    {
        Inject(export);
        return Folded(export, options);
    }

    private void Inject(string export) =>
        Assert.That(CommandLine.Run("inject", Exports.Path(export), "-o", _folder["injected.onnx"], "--rank", "4", "--alpha", "2",
            "--targets", "q,v", "--factors", Goldens.Path("llama-mini/causal-lm.lorta@genai-int4")).ExitCode, Is.Zero);

    // The adapter that was injected, as a run leaves it.
    private void MoveAdapterIntoRun(Recipe recipe)
    {
        Directory.CreateDirectory(_folder["run"]);
        Directory.Move(_folder["injected.adapter"], _folder["run", "adapter"]);
        RecipeFile.Save(_folder["run", "recipe.yaml"], recipe);
    }

    private JsonNode Folded(string export, params string[] options)
    {
        string[] adapter = options.Contains("--adapter") ? [] : ["--adapter", _folder["injected.adapter"]];
        var run = CommandLine.Run(["export", Exports.Path(export), .. adapter, "-o", _folder["out.onnx"], "--json", "--quiet", .. options]);
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
        return JsonNode.Parse(run.Output)!;
    }
}
