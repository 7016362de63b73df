using System.Reflection;
using LoRTA.Onnx.Export;
using LoRTA.Onnx.Extensions.AI;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary>Which library may know which: graphgen ← runtime ← training, runtime ← extensions.ai, graphgen ← export, all ← cli.</summary>
internal sealed class ArchitectureTests
{
    [TestCase(typeof(OnnxModel), "Microsoft.ML.OnnxRuntime")]
    [TestCase(typeof(OnnxModel), "Microsoft.ML.Tokenizers")]
    [TestCase(typeof(OnnxModel), "YamlDotNet")]
    [TestCase(typeof(OnnxModel), "LoRTA.Onnx.Runtime")]
    [TestCase(typeof(OnnxModel), "LoRTA.Onnx.Training")]
    [TestCase(typeof(OnnxModel), "LoRTA.Onnx.Export")]
    [TestCase(typeof(AdapterFold), "LoRTA.Onnx.Runtime")]
    [TestCase(typeof(AdapterFold), "LoRTA.Onnx.Training")]
    [TestCase(typeof(AdapterFold), "Microsoft.ML.OnnxRuntime")]
    [TestCase(typeof(AdapterFold), "Google.Protobuf")]
    [TestCase(typeof(OrtEngineOptions), "LoRTA.Onnx.Training")]
    [TestCase(typeof(OrtEngineOptions), "LoRTA.Onnx.Export")]
    [TestCase(typeof(OrtEngineOptions), "Google.Protobuf")]
    [TestCase(typeof(OrtEngineOptions), "YamlDotNet")]
    [TestCase(typeof(OrtEngineOptions), "CsvHelper")]
    [TestCase(typeof(AdapterTrainer), "LoRTA.Onnx.Export")]
    [TestCase(typeof(AdapterTrainer), "Google.Protobuf")]
    [TestCase(typeof(AdapterTrainer), "System.Console")]
    [TestCase(typeof(AdapterTrainer), "System.CommandLine")]
    [TestCase(typeof(AdapterTrainer), "Spectre.Console")]
    [TestCase(typeof(AdapterFold), "System.Console")]
    [TestCase(typeof(OrtEngineOptions), "System.Console")]
    [TestCase(typeof(OnnxModel), "System.Console")]
    [TestCase(typeof(OrtEngineOptions), "System.CommandLine")]
    [TestCase(typeof(OrtEngineOptions), "Spectre.Console")]
    [TestCase(typeof(ChatFormat), "LoRTA.Onnx.Training")]
    [TestCase(typeof(ChatFormat), "LoRTA.Onnx.Export")]
    [TestCase(typeof(ChatFormat), "Microsoft.ML.OnnxRuntime")]
    [TestCase(typeof(ChatFormat), "System.Console")]
    public void Library_does_not_reference(Type library, string forbidden) =>
        Assert.That(library.Assembly.GetReferencedAssemblies().Select(reference => reference.Name), Has.None.EqualTo(forbidden));

    [TestCase(typeof(AdapterFold))]
    [TestCase(typeof(OrtEngineOptions))]
    [TestCase(typeof(AdapterTrainer))]
    public void The_libraries_stand_on_graphgen(Type library) =>
        Assert.That(library.Assembly.GetReferencedAssemblies().Select(reference => reference.Name), Has.Some.EqualTo("LoRTA.Onnx.GraphGen"));

    [Test]
    public void Schema_classes_of_the_format_stay_internal() =>
        Assert.That(typeof(OnnxModel).Assembly.GetExportedTypes().Where(type => type.Namespace!.EndsWith(".Proto", StringComparison.Ordinal)), Is.Empty);

    [Test]
    public void Every_namespace_begins_with_its_assembly() =>
        Assert.That(
            new[] { typeof(OnnxModel), typeof(AdapterFold), typeof(OrtEngineOptions), typeof(AdapterTrainer), typeof(ChatFormat), typeof(Application) }.Select(type => type.Assembly).SelectMany(assembly => Strays(assembly)),
            Is.Empty);

    private static IEnumerable<string?> Strays(Assembly assembly) => assembly.GetTypes()
        .Where(type => type.Namespace?.StartsWith("LoRTA.", StringComparison.Ordinal) == true && !type.Namespace.StartsWith(assembly.GetName().Name!, StringComparison.Ordinal))
        .Select(type => type.FullName);
}
