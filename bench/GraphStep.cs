using LoRTA.Onnx.Bench.Models;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Bench;

/// <summary>A graph that is only run: the forward pass, or the matrix products of a step and nothing else.</summary>
internal sealed class GraphStep : IStepVariant
{
    private readonly string _file;
    private readonly InferenceSession _session;
    private readonly Dictionary<string, OrtValue> _inputs;   // bound as they are: no copy is timed
    private readonly RunOptions _options = new();

    private GraphStep(string name, OnnxModel model, IReadOnlyDictionary<string, OnnxTensor> inputs)
    {
        Name = name;
        _file = Path.Combine(Path.GetTempPath(), "lorta-bench", $"{name}.onnx");
        model.Save(_file);
        using var options = new SessionOptions   // as the engine's
        {
            IntraOpNumThreads = new OrtEngineOptions().ThreadCount,
            InterOpNumThreads = 1,
            EnableMemoryPattern = false,
        };
        _session = new InferenceSession(_file, options);
        _inputs = _session.InputNames.ToDictionary(input => input, input => Value(inputs[input]), StringComparer.Ordinal);
    }

    public string Name { get; }

    public static GraphStep Forward(RobertaShape shape) => new("forward only", RobertaModel.Open(), AdapterStep.BatchOf(shape).Inputs);

    /// <summary>Every product of the LoRTA training graph, on operands of the same shapes: frozen weights as constants, everything else as
    /// inputs.</summary>
    public static GraphStep Products(RobertaShape shape)
    {
        var train = AdapterStep.Graphs("lorta", shape).Train.Graph;
        var (graph, inputs) = (new Graph("products"), new Dictionary<string, OnnxTensor>(StringComparer.Ordinal));
        var operands = new Dictionary<Value, Value>();
        var sums = new List<Value>();
        foreach (var node in train.Nodes.Where(node => node.Op is "MatMul" or OrtOps.FusedMatMul or "Gemm"))
        {
            var output = graph.AddValue(node.Output.Name, ElementType.Float, node.Output.Shape);
            var copy = new Node(node.OpType, node.Domain, node.Inputs.Select(Operand), [output]) { Name = node.Name };
            foreach (var (name, attribute) in node.Attributes) copy.Attributes[name] = attribute;
            graph.Add(copy);
            // one element in a row is read, so that nothing is left out and little else is done
            sums.Add(new Tape(graph)[output].Slice(0, 0, 1).Total().Value);
        }
        foreach (var sum in sums) graph.AddOutput(sum);
        return new GraphStep("bare matrix products", OnnxModel.ForRuntime(graph), inputs);

        Value? Operand(Value? value)
        {
            if (value is null || operands.TryGetValue(value, out var known)) return value is null ? null : operands[value];
            if (value.IsConstant) return operands[value] = graph.AddConstant(value.Name, value.Constant!);
            var dims = value.Shape!.Known!;
            inputs[value.Name] = Random(value.Name, dims);
            return operands[value] = graph.AddInput(value.Name, ElementType.Float, value.Shape);
        }
    }

    public float Step()
    {
        using var outputs = _session.Run(_options, _inputs, _session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>()[0];
    }

    public void Dispose()
    {
        _session.Dispose();
        foreach (var value in _inputs.Values) value.Dispose();
        _options.Dispose();
        File.Delete(_file);
    }

    private static OrtValue Value(OnnxTensor tensor) => tensor.Type == ElementType.Float
        ? OrtValue.CreateTensorValueFromMemory(tensor.ToFloats(), [.. tensor.Dims])
        : OrtValue.CreateTensorValueFromMemory(tensor.ToLongs(), [.. tensor.Dims]);

    private static OnnxTensor Random(string name, long[] dims)
    {
        var random = new SeededRandom(0, name);
        var values = new float[dims.Aggregate(1L, (product, dim) => product * dim)];
        for (var i = 0; i < values.Length; i++) values[i] = (float)random.NextUniform() - 0.5f;
        return OnnxTensor.Of<float>(dims, values);
    }
}
