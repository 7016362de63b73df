using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Tests.Recipes.Files;

/// <summary>A recipe in a folder of its own.</summary>
internal sealed class RecipeOnDisk : IDisposable
{
    /// <summary>A recipe without a key that may be omitted.</summary>
    public const string Minimal = """
        model: m.onnx
        task: classification
        data: { train: train.tsv }
        """;

    public string Folder { get; } = Directory.CreateTempSubdirectory("recipe").FullName;

    public string Path => System.IO.Path.Join(Folder, "recipe.yaml");

    public Recipe Load(string yaml, params string[] settings)
    {
        File.WriteAllText(Path, yaml);
        return RecipeFile.Load(Path, LortaCatalog.Default, settings);
    }

    public LortaException Refused(string yaml) => Assert.Throws<LortaException>(() => Load(yaml))!;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
