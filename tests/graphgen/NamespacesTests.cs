using System.Text.RegularExpressions;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests;

/// <summary>Which folder may use which.</summary>
internal sealed partial class NamespacesTests
{
    // A folder uses those above it, and its own subfolders and parents, unless others stand between; never those below. The root folder is for all;
    // what it holds for those who use the library, such as the catalog, is made of all of them.
    private static readonly string[] GraphGen =
    [
        "Messages", "Files",
        "Ir.Storage.Proto", "Ir.Tensors", "Ir", "Ir.Inference", "Ir.Inlining", "Ir.Storage",
        "Patterns",
        "Weights",
        "Autodiff", "Autodiff.Rules", "Losses", "Optimizers",
        "Canonical", "Canonical.Views", "Canonical.Quantized", "Canonical.Fused", "Canonical.Opsets", "Canonical.Pieces",
        "Attention.Inputs",
        "Parameters",
        "Attention.Walks", "Attention",
        "Inspection",
        "Adapters", "Adapters.Families", "Adapters.Planning", "Adapters.Stored", "Adapters.Injection", "Adapters.Counting",
        "Artifacts", "Artifacts.Portable", "Artifacts.OrtTraining",
    ];

    private static readonly string[] Runtime = ["Tokenizers", "Generation"];

    private static readonly string[] Training =
    [
        "Recipes",
        "Data", "Data.Readers",
        "Tasks",
        "Recipes.Files",
        "Schedules", "Checkpoints", "Tracking", "Runtime",
        "Gradcheck", "Runs", "Predictions",
    ];

    [TestCase("graphgen", "LoRTA.Onnx.GraphGen")]
    [TestCase("runtime", "LoRTA.Onnx.Runtime")]
    [TestCase("training", "LoRTA.Onnx.Training")]
    [TestCase("export", "LoRTA.Onnx.Export")]
    [TestCase("extensions.ai", "LoRTA.Onnx.Extensions.AI")]
    [TestCase("testing", "LoRTA.Onnx.Testing")]
    [TestCase("cli", "LoRTA.Onnx.Cli")]
    [TestCase("cake", "Cake.LoRTA")]
    public void A_namespace_is_its_folder(string folder, string root) =>
        Assert.That(
            Sources(folder, root).Where(source => source.Namespace != source.Declared).Select(source => source.Path),
            Is.Empty);

    [TestCase("graphgen", "LoRTA.Onnx.GraphGen", nameof(GraphGen))]
    [TestCase("runtime", "LoRTA.Onnx.Runtime", nameof(Runtime))]
    [TestCase("training", "LoRTA.Onnx.Training", nameof(Training))]
    public void A_folder_uses_those_above_it(string folder, string root, string list)
    {
        var order = list switch { nameof(GraphGen) => GraphGen, nameof(Runtime) => Runtime, _ => Training };
        string Short(string name) => name.Length > root.Length ? name[(root.Length + 1)..] : string.Empty;
        var used = (from source in Sources(folder, root)
                    from name in source.Usings
                    where name.StartsWith($"{root}.", StringComparison.Ordinal)
                    select (source.Path, From: Short(source.Namespace), To: Short(name))).ToList();

        Assert.That(used.Select(use => use.To).Except(order), Is.Empty, "every folder has its place in the list");
        Assert.That(used.Where(use => !IsAllowed(use.From, use.To)).Select(use => $"{use.Path} uses {use.To}"), Is.Empty);

        bool IsAllowed(string from, string to) =>
            from.Length == 0
            || from.StartsWith($"{to}.", StringComparison.Ordinal)
            || Array.IndexOf(order, to) < Array.IndexOf(order, from)
            || to.StartsWith($"{from}.", StringComparison.Ordinal) && Array.TrueForAll(Between(from, to), name => IsIn(name, from));

        // A folder and those of its own that come right after it are one place in the order.
        string[] Between(string from, string to) => order[(Array.IndexOf(order, from) + 1)..Array.IndexOf(order, to)];

        static bool IsIn(string name, string folder) => name.StartsWith($"{folder}.", StringComparison.Ordinal);
    }

    private static IEnumerable<Source> Sources(string folder, string root)
    {
        var files = Directory.GetFiles(Path.Combine(Fixtures.Repository, folder), "*.cs", SearchOption.AllDirectories);
        Assert.That(files, Is.Not.Empty);
        foreach (var file in files)
        {
            var text = File.ReadAllText(file);
            var relative = Path.GetRelativePath(Path.Combine(Fixtures.Repository, folder), Path.GetDirectoryName(file)!);
            if (Declaration().Match(text) is not { Success: true } declaration) continue;   // top-level statements
            yield return new Source(
                Path.GetRelativePath(Fixtures.Repository, file),
                relative == "." ? root : $"{root}.{relative.Replace(Path.DirectorySeparatorChar, '.')}",
                declaration.Groups["name"].Value,
                [.. Using().Matches(text).Select(match => match.Groups["name"].Value)]);
        }
    }

    [GeneratedRegex("^namespace (?<name>[^;]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Declaration();

    // The namespace of `using static` and of an alias is what stands before the type.
    [GeneratedRegex(@"^using ((?<name>[\w.]+)|(static |\w+ = )(?<name>[\w.]+)\.\w+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Using();

    private sealed record Source(string Path, string Namespace, string Declared, IReadOnlyList<string> Usings);
}
