using System.Text.RegularExpressions;
using LoRTA.Onnx.Export;
using LoRTA.Onnx.Extensions.AI;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>What lies in the libraries' root namespaces is for everybody, so that everybody is shown it.</summary>
internal sealed class PublicTypesTests
{
    [TestCase(typeof(OnnxModel))]
    [TestCase(typeof(OrtEngine))]
    [TestCase(typeof(AdapterTrainer))]
    [TestCase(typeof(AdapterFold))]
    [TestCase(typeof(ChatFormat))]
    public void Every_type_of_a_root_namespace_is_in_a_guide_or_a_sample(Type library)
    {
        var texts = string.Join('\n', Pages().Select(File.ReadAllText));
        var types = library.Assembly.GetExportedTypes().Where(type => type.Namespace == library.Namespace && !type.IsNested)
            .Select(type => type.Name.Split('`')[0]).ToList();

        Assert.That(types, Is.Not.Empty);
        Assert.That(types.Where(name => !Regex.IsMatch(texts, $@"\b{name}\b")), Is.Empty);
    }

    private static IEnumerable<string> Pages() =>
    [
        .. Directory.GetFiles(Repository.Path("docs"), "*.md"),
        .. Directory.GetFiles(Repository.Path("samples"), "*.cs", SearchOption.AllDirectories),
        .. Directory.GetFiles(Repository.Path("."), "README.md", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 }),
    ];
}
