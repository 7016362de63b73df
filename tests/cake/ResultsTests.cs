using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Cake.Core;
using Cake.Core.Diagnostics;
using LoRTA.Onnx.Tests.Shared;

namespace Cake.LoRTA.Tests;

/// <summary>Runs each verb as a script does, with the real command and the bundled models: every field of its JSON is in the record.</summary>
[Category(Fixtures.NotNeeded)]
internal sealed class ResultsTests
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private static readonly string Command = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "LoRTA.Onnx.Cli.exe" : "LoRTA.Onnx.Cli");

    private static readonly string Models = Path.Combine(Fixtures.Repository, "models");

    private static readonly string Encoder = Path.Combine(Models, "roberta-mini");
    private static readonly string Decoder = Path.Combine(Models, "llama-mini");
    private static readonly string Recipe = Path.Combine(Models, "recipes", "reviews.yaml");

    private TestFolder _folder = null!;
    private LortaTrainResult _run = null!;
    private ScriptContext _training = null!;
    private JsonNode _written = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _folder = new();
        File.WriteAllLines(_folder["few rows.tsv"], File.ReadLines(Path.Combine(Models, "data", "reviews.tsv")).Take(50));
        File.WriteAllText(_folder["new.tsv"], "sentence\nA fine film.\nDull and far too long.\n");
        var settings = With(new LortaTrainSettings { Output = "run", Set = { ["train.epochs"] = "1", ["data.train"] = "few rows.tsv" } });
        (_run, _written, _training) = Listen(context => context.LortaTrain(Recipe, settings));
    }

    [OneTimeTearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void Train_says_what_the_run_came_to()
    {
        Holds(_run, _written);
        Assert.That(File.Exists(Path.Combine(_run.Adapter, "adapter_config.json")));
    }

    [Test]
    public void Train_logs_its_progress() =>
        Assert.That(_training.Lines.Where(line => line.Level == LogLevel.Information).Select(line => line.Text), Has.Some.Contains("loss"));

    [Test]
    public void Quiet_logs_nothing()
    {
        var (_, _, context) = Listen(script => script.LortaEvaluate(Recipe, With(new LortaEvaluateSettings { Quiet = true, Set = { ["data.train"] = "few rows.tsv" } })));

        Assert.That(context.Lines.Where(line => line.Level == LogLevel.Information), Is.Empty);
    }

    [Test]
    public void Evaluate_measures() =>
        Check(script => script.LortaEvaluate(Recipe, With(new LortaEvaluateSettings { Adapter = "run", Set = { ["data.train"] = "few rows.tsv" } })));

    [Test]
    public void Predict_counts_rows()
    {
        var predicted = Check(script => script.LortaPredict(Recipe, "new.tsv", "predicted.tsv", With(new LortaPredictSettings { Adapter = "run" })));

        Assert.That(predicted.Rows, Is.EqualTo(2));
    }

    [Test]
    public void Export_and_verify_compare()
    {
        var exported = Check(script => script.LortaExport(Encoder, "run", "merged model/", With(new LortaExportSettings { Verify = true })));
        var verified = Check(script => script.LortaVerify(Encoder, exported.Output, With(new LortaVerifySettings { Adapter = "run" })));

        Assert.That((exported.Ok, verified.Ok), Is.EqualTo((true, true)));
    }

    [Test]
    public void Verify_fails_where_models_differ()
    {
        Listen(script => script.LortaExport(Encoder, "run", "other", With(new LortaExportSettings())));

        Assert.That(() => Listen(script => script.LortaVerify(Encoder, "other", With(new LortaVerifySettings()))),
            Throws.TypeOf<CakeException>().With.Message.Contains("LRT711").And.Property(nameof(CakeException.ExitCode)).EqualTo(1));
    }

    [Test]
    public void Inject_names_sites() =>
        Check(script => script.LortaInject(Decoder, "injected.onnx", With(new LortaInjectSettings { AdapterOptions = { Method = "lora", Targets = { "q", "v" } } })));

    [Test]
    public void Artifacts_names_files() =>
        Check(script => script.LortaArtifacts(Encoder, "artifacts", "classification", With(new LortaArtifactsSettings { AdapterOptions = { Rank = 2 } })));

    [Test]
    public void Convert_names_the_adapter()
    {
        Check(script => script.LortaArtifacts(Encoder, "for training", "classification", With(new LortaArtifactsSettings { Dialect = "ort-training", AdapterOptions = { Rank = 2 } })));

        var converted = Check(script => script.LortaConvert("for training/checkpoint", "converted", "for training", With(new LortaConvertSettings())));

        Assert.That((converted.Output, converted.Method, converted.Error), Is.EqualTo(("converted", "lorta", 0.0)));
    }

    [Test]
    public void Inspect_shows_layers() =>
        Check(script => script.LortaInspect(Decoder, With(new LortaInspectSettings { Weights = true, Explain = true })));

    [Test]
    public void Methods_counts_for_a_model_and_for_sizes()
    {
        Check(script => script.LortaMethods(Decoder, With(new LortaMethodsSettings { Rank = 4 })));
        Check(script => script.LortaMethods(With(new LortaMethodsSettings { Width = 64, Heads = 4, Layers = 2 })));
    }

    [Test]
    public void Generate_writes_a_text()
    {
        var generated = Check(script => script.LortaGenerate(Decoder, "He said \"come\" \\ and", With(new LortaGenerateSettings { MaxTokens = 2 })));

        Assert.That(generated.Tokens, Is.EqualTo(2));
    }

    [Test]
    public void Init_writes_a_recipe() => Check(script => script.LortaInit(Encoder, With(new LortaInitSettings())));

    [Test]
    [Category("Slow")]
    public void Gradcheck_compares()
    {
        var settings = With(new LortaGradcheckSettings { Task = "classification", AdapterOptions = { Method = "lorta", Rank = 1, Layers = "0" } });

        Check(script => script.LortaGradcheck(Encoder, settings));
    }

    [Test]
    [Category("Slow")]
    public void Quickstart_adapts_the_bundled_model()
    {
        var done = Check(script => script.LortaQuickstart(With(new LortaQuickstartSettings { Output = "quick" })));

        Assert.That(done.LossAfter, Is.LessThan(done.LossBefore));
    }

    [Test]
    public void A_path_of_any_letters_arrives_as_it_is()
    {
        const string name = "no \"such\" model\\";

        Assert.That(() => Listen(script => script.LortaInspect(name, With(new LortaInspectSettings()))),
            Throws.TypeOf<CakeException>().With.Message.StartsWith($"lorta inspect: error LRT101: {name}: "));
    }

    [Test]
    public void A_recipe_with_a_mistake_fails_as_wrong_usage() =>
        Assert.That(() => Listen(script => script.LortaTrain(Recipe, With(new LortaTrainSettings { Set = { ["train.batchSize"] = "0" } }))),
            Throws.TypeOf<CakeException>().With.Message.Contains("LRT550").And.Property(nameof(CakeException.ExitCode)).EqualTo(2));

    private T Check<T>(Func<ScriptContext, T> call)
        where T : class
    {
        var (result, written, _) = Listen(call);
        Holds(result, written);
        return result;
    }

    private (T Result, JsonNode Written, ScriptContext Context) Listen<T>(Func<ScriptContext, T> call)
        where T : class
    {
        var runner = new ListeningRunner(() => new ScriptContext(_folder.Path).ProcessRunner);
        var context = new ScriptContext(_folder.Path, runner);
        var result = call(context);
        return (result, runner.Json, context);
    }

    private static T With<T>(T settings)
        where T : LortaSettings
    {
        settings.ToolPath = Command;
        return settings;
    }

    // What the command wrote is in the record, under the same name with the same value.
    private static void Holds(object record, JsonNode written) =>
        Assert.That(Differences("$", JsonSerializer.SerializeToNode(record, record.GetType(), Web), written), Is.Empty);

    private static IEnumerable<string> Differences(string path, JsonNode? read, JsonNode? written) => (read, written) switch
    {
        (JsonObject fields, JsonObject expected) => expected.SelectMany(field => fields.ContainsKey(field.Key)
            ? Differences($"{path}.{field.Key}", fields[field.Key], field.Value)
            : [$"{path}.{field.Key} is missing"]),
        (JsonArray items, JsonArray expected) when items.Count == expected.Count =>
            items.Zip(expected).SelectMany((pair, index) => Differences($"{path}[{index}]", pair.First, pair.Second)),
        _ => JsonNode.DeepEquals(read, written) ? [] : [$"{path} is {read?.ToJsonString()}, was {written?.ToJsonString()}"],
    };
}
