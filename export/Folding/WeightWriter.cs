using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Puts folded weights into a deployed graph: in place where one node reads the stored tensor, as a copy of its own where several do.</summary>
/// <param name="model">The graph that changes.</param>
/// <param name="widen">Write float32 past the Casts.</param>
internal sealed class WeightWriter(Model model, bool widen)
{
    private readonly List<RoundedWeight> _rounded = [];

    /// <summary>Replaces matrices of one stored tensor for one node.</summary>
    public void Replace(StoredLinear stored, IReadOnlyList<WeightEdit> edits)
    {
        var node = model.Graph.Find(stored.Output)!.Producer!;
        var path = PathTo(node, stored.Weight);
        var original = path[^1].Value.Constant!;
        var cast = path.FindIndex(step => step.Value.Producer is { OpType: "Cast" });
        if (widen && original.Type != ElementType.Float && cast >= 0 && path.Skip(cast + 1).All(step => step.Reader.OpType is "Cast" or "Identity"))
        {
            PutInPlaceOf(path[..(cast + 1)], Stored(original, edits, ElementType.Float), path[^1].Value.IsExternal);
            return;
        }
        var tensor = Stored(original, edits, original.Type);
        if (path.All(step => step.Value.Uses.Count == 1 && !model.Graph.IsOutput(step.Value))) path[^1].Value.Constant = tensor;
        else Copy(path, tensor);
    }

    /// <summary>What storing cost; asks after the weights were written.</summary>
    public Rounding? Rounding()
    {
        var lossy = _rounded.Where(weight => weight.Type != ElementType.Float).ToList();
        if (lossy.Count == 0) return null;
        foreach (var weight in lossy.Where(weight => !weight.IsMeasured)) weight.Compute();
        return new Rounding(lossy.MinBy(weight => weight.Type.Bits())!.Type.Display(), lossy.Count, lossy.Max(weight => weight.MaxAbs), lossy.Max(weight => weight.MaxRel));
    }

    // From the node's operand back to the stored tensor: each value, and who reads it on this way.
    private static List<(Value Value, Node Reader, int Index)> PathTo(Node node, string weight)
    {
        for (var index = 0; index < node.Inputs.Count; index++)
        {
            var path = new List<(Value, Node, int)>();
            var (value, reader, at) = (node.Inputs[index], node, index);
            while (value is not null)
            {
                path.Add((value, reader, at));
                if (value.Name == weight) return path;
                if (value.Producer is not { } producer || producer.Inputs.Count == 0) break;
                (reader, at, value) = (producer, 0, producer.Input(0));
            }
        }
        throw new InvalidOperationException($"{node} does not read {weight}");
    }

    private Tensor Stored(Tensor original, IReadOnlyList<WeightEdit> edits, ElementType type)
    {
        var weight = new RoundedWeight(original, edits, type);
        _rounded.Add(weight);
        return Tensor.Streamed(type, [.. original.Dims], weight.Compute);
    }

    // Others read the tensor as it is: this node gets one of its own, behind copies of the operators in between.
    private void Copy(List<(Value Value, Node Reader, int Index)> path, Tensor tensor)
    {
        var original = path[^1].Value;
        var value = model.Graph.AddConstant($"{original.Name}_folded", tensor);
        value.IsExternal = original.IsExternal;
        for (var i = path.Count - 1; i > 0; i--)
        {
            var step = path[i].Reader;
            var copy = new Node(step.OpType, step.Domain, [value, .. step.Inputs.Skip(1)], [model.Graph.AddValue($"{step.Output.Name}_folded", step.Output.Type, step.Output.Shape)])
            {
                Name = step.Name.Length > 0 ? $"{step.Name}_folded" : string.Empty,
            };
            foreach (var (name, attribute) in step.Attributes) copy.Attributes[name] = attribute;
            model.Graph.Add(copy, step);
            value = copy.Output;
        }
        path[0].Reader.SetInput(path[0].Index, value);
    }

    // Past the Casts: from here on the node reads float32.
    private void PutInPlaceOf(List<(Value Value, Node Reader, int Index)> path, Tensor tensor, bool isExternal)
    {
        if (path.Any(step => step.Value.Uses.Count > 1))
        {
            Copy(path, tensor);
            return;
        }
        var value = model.Graph.AddConstant($"{path[^1].Value.Name}_folded", tensor);
        value.IsExternal = isExternal;
        path[^1].Reader.SetInput(path[^1].Index, value);
    }
}
