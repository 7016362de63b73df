using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>A copy of the bundled encoder with the run of a few steps on some of the bundled reviews, in a folder of its own.</summary>
internal sealed class TrainedEncoder : IDisposable
{
    private readonly TestFolder _folder = new();

    /// <summary>Trains.</summary>
    /// <param name="recipe">A recipe without <c>model</c> and <c>output</c>; its data are train.tsv and validation.tsv.</param>
    /// <param name="trained">Rows of train.tsv.</param>
    /// <param name="held">Rows of validation.tsv, those that follow.</param>
    public TrainedEncoder(string recipe, int trained, int held)
    {
        Directory.CreateDirectory(Model);
        foreach (var file in Directory.GetFiles(Path.Combine(Fixtures.Repository, "models", "roberta-mini")))
            File.Copy(file, Path.Combine(Model, Path.GetFileName(file)));
        var lines = File.ReadAllLines(Path.Combine(Fixtures.Repository, "models", "data", "reviews.tsv"));
        File.WriteAllLines(_folder["train.tsv"], lines[..(trained + 1)]);
        File.WriteAllLines(Rows, [lines[0], .. lines[(trained + 1)..(trained + held + 1)]]);
        _folder.Write("recipe.yaml", $"model: model\noutput: run\n{recipe}");
        var run = CommandLine.Run("train", Recipe, "--quiet");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
    }

    public string Model => _folder["model"];

    public string Recipe => _folder["recipe.yaml"];

    public string Adapter => _folder["run", "adapter"];

    public string Rows => _folder["validation.tsv"];

    public string this[params string[] parts] => _folder[parts];

    public void Dispose() => _folder.Dispose();
}
