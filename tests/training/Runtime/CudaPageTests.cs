using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Training.Tests.Runtime;

/// <summary>Holds the operators of the graphs against <c>docs/cuda.md</c>: those that ONNX Runtime has a CUDA kernel for.</summary>
internal sealed class CudaPageTests
{
    private static readonly HashSet<string> Listed =
    [
        .. from line in File.ReadAllLines(Path.Combine(Fixtures.Repository, "docs", "cuda.md"))
           where line.StartsWith("| `", StringComparison.Ordinal)
           let cells = line.Split('|', StringSplitOptions.TrimEntries)
           from types in cells[2].Split(';', StringSplitOptions.TrimEntries)
           select $"{cells[1].Trim('`')}: {types}",
    ];

    private static IEnumerable<string> Exported => Exports.All;

    private static IEnumerable<ArchitectureCase> Understood => Architectures.All.Where(architecture => architecture.Projections.Length > 0);

    [TestCaseSource(nameof(Exported))]
    public void Operators_of_an_export_are_listed(string export) => Assert.That(Operators(OnnxModel.Load(Exports.Path(export))).Except(Listed), Is.Empty);

    [TestCaseSource(nameof(Understood))]
    public void Operators_of_an_architecture_are_listed(ArchitectureCase architecture) =>
        Assert.That(Operators(OnnxModel.Load(architecture.Path)).Except(Listed), Is.Empty);

    private static IEnumerable<string> Operators(OnnxModel deployed)
    {
        var task = deployed.Graph.Outputs.First(output => output.Type.IsFloat()).Shape?.Rank == 2 ? "classification" : "causal-lm";
        return
            from method in new[] { "lorta", "lora" }
            let adapter = new AdapterOptions { Method = method, Rank = 2, Alpha = 2, Targets = ["q", "v"] }
            let graphs = TrainingGraphs.Build(deployed, new TrainingOptions { Adapter = adapter, Task = task })
            from node in graphs.Train.Graph.Nodes.Concat(graphs.Eval.Graph.Nodes)
            select $"{node.Op}: {Types(node)}";
    }

    // float, int64 → bool; the result only where it is of a type of its own
    private static string Types(Node node)
    {
        var operands = node.Inputs.OfType<Value>().Select(Name).Distinct().ToArray();
        var results = node.Outputs.OfType<Value>().Select(Name).Distinct().Except(operands).ToArray();
        return string.Join(", ", operands) + (results.Length > 0 ? $" → {string.Join(", ", results)}" : string.Empty);
    }

    private static string Name(Value value) => value.Type.ToString().ToLowerInvariant();
}
