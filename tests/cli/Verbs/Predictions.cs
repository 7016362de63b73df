using System.Globalization;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>Uses of <c>lorta predict</c> with a trained encoder, and what they write, in a folder of their own.</summary>
/// <param name="trained">The encoder, from <see cref="Train"/>.</param>
internal sealed class Predictions(TrainedEncoder trained) : IDisposable
{
    public TestFolder Folder { get; } = new();

    public string Recipe => trained.Recipe;

    public string Adapter => trained.Adapter;

    public string Model => trained.Model;

    public string Rows => trained.Rows;

    /// <summary>An encoder that tells the two classes apart.</summary>
    public static TrainedEncoder Train() => new(
        """
        task: classification
        adapter: { method: lorta, rank: 4, alpha: 16, targets: [q, v] }
        trainables: [{ match: "classifier.*", lr: 2e-3 }]
        data:
          train: train.tsv
          validation: validation.tsv
          columns: { text: sentence }
          labels: [negative, positive]
          maxLength: 24
        train: { steps: 50, batchSize: 8, optimizer: { lr: 2e-3 }, evaluateEvery: never }
        """,
        trained: 199,
        held: 60);

    public void Dispose() => Folder.Dispose();

    public string Texts() => Folder.Write(
        "texts.tsv", "text\n" + string.Concat(File.ReadLines(trained.Rows).Skip(1).Select(line => line.Split('\t')[1] + "\n")));

    public string ModelWith(string key, string value)
    {
        var model = Directory.CreateDirectory(Folder["model"]).FullName;
        foreach (var file in Directory.GetFiles(trained.Model)) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(model, "config.json")))!;
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(Path.Combine(model, "config.json"), config.ToJsonString());
        return model;
    }

    public void Refused(string code, params string[] args)
    {
        var run = CommandLine.Run(args);

        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error.Split('\n').Where(line => line.StartsWith("error", StringComparison.Ordinal) || line.Contains("): error", StringComparison.Ordinal)).Single(), Does.Contain(code));
        Assert.That(Path.Exists(Folder["out.tsv"]), Is.False);
    }

    public CommandLine Run(string command) => CommandLine.Run([.. command.Split(' ').Select(word => word
        .Replace("{recipe}", trained.Recipe).Replace("{model}", trained.Model).Replace("{adapter}", trained.Adapter).Replace("{rows}", trained.Rows).Replace("{out}", Folder["out.tsv"]))]);

    public List<Dictionary<string, string>> Predicted(params string[] args)
    {
        var output = Folder[$"predicted-{Folder.Entries.Count}.tsv"];
        var run = CommandLine.Run(["predict", .. args, "-o", output]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return Table(output);
    }

    public static List<Dictionary<string, string>> Table(string path)
    {
        var lines = File.ReadAllLines(path);
        var names = lines[0].Split('\t');
        return [.. lines.Skip(1).Select(line => names.Zip(line.Split('\t')).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal))];
    }

    public static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
