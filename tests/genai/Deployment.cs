using System.Text.Json;
using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GenAI.Tests;

/// <summary>A folder that the client can open: genai_config.json, the model that it names, a tokenizer.</summary>
/// <param name="Name">Name of the test case.</param>
/// <param name="Open">Gives the folder; what it makes goes into the given one.</param>
internal sealed record Deployment(string Name, Func<TestFolder, string> Open)
{
    /// <summary>Whether the client's own tokenizer understands the folder's; without it only ids can be compared.</summary>
    public bool ClientReadsTokenizer { get; init; } = true;

    /// <summary>A folder among the fixtures as it is.</summary>
    public static Deployment Fixture(string model) => new(model, _ => Fixtures.Path("models", model));

    /// <summary>An export of a model, <c>llama-mini/genai</c>, put together with its configuration and the model's tokenizer.</summary>
    public static Deployment Assembled(string export) => new(export, folder =>
    {
        var (model, _) = Exports.Split(export);
        var config = Fixtures.Path("models", $"{export}.genai_config.json");
        File.Copy(config, folder["genai_config.json"]);
        File.Copy(Exports.Path(export), folder[ModelFile(config)]);
        foreach (var file in Directory.GetFiles(Fixtures.Path("models", model, "hf"), "*token*")) File.Copy(file, folder[Path.GetFileName(file)]);
        return folder.Path;
    });

    /// <summary>The same folder with a random adapter in it: folded into its weights, or beside them.</summary>
    /// <param name="keepBase">Whether the base's weights stay.</param>
    public Deployment Adapted(bool keepBase) => this with
    {
        Name = $"{Name}, adapter {(keepBase ? "beside" : "folded")}",
        Open = folder =>
        {
            using var before = new TestFolder();
            var source = Open(before);
            var model = OnnxModel.Load(source);
            var folded = new OrtEngine().Fold(model, RandomAdapter(model), new ExportOptions { KeepBase = keepBase });
            foreach (var file in Directory.GetFiles(source).Where(file => !Path.GetFileName(file).StartsWith(model.FileName, StringComparison.Ordinal))) File.Copy(file, folder[Path.GetFileName(file)]);
            folded.Model.Save(folder[model.FileName]);
            return folder.Path;
        },
    };

    public override string ToString() => Name;

    private static Adapter RandomAdapter(OnnxModel model)
    {
        var understood = UnderstoodModel.Of(model);
        var plan = AdapterPlan.Of(understood, new AdapterOptions { Method = "lorta", Rank = 4, Alpha = 2 });
        return new Adapter("random", AdapterConfig.Of(plan, BaseModels.Describe(understood, plan)), RandomTensor.Factors(plan));
    }

    private static string ModelFile(string config)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(config));
        return json.RootElement.GetProperty("model").GetProperty("decoder").GetProperty("filename").GetString()!;
    }
}
