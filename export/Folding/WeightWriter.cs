using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Puts folded weights into a deployed graph: in place where one node reads the stored tensor, as a copy of its own where several
/// do.</summary>
/// <param name="model">The graph that changes.</param>
/// <param name="widen">Write float32 past the Casts.</param>
/// <param name="choice">How low-bit weights are rounded.</param>
internal sealed class WeightWriter(OnnxModel model, bool widen, RoundingChoice choice)
{
    private const int AtOnce = 2;   // more take more memory than they save time

    private readonly List<RoundedWeight> _rounded = [];

    /// <summary>Replaces matrices of one stored tensor for one node.</summary>
    /// <param name="stored">The tensor's place.</param>
    /// <param name="original">The tensor.</param>
    /// <param name="edits">New numbers.</param>
    public void Replace(StoredPlace stored, IStoredNumbers original, IReadOnlyList<WeightEdit> edits)
    {
        var path = PathTo(model.Graph.Find(stored.Output)!.Producer!, stored.Weight);
        if (original is QuantizedMatrix matrix) Replace(path, stored.Codes!, matrix, edits);
        else Replace(path, (FloatNumbers)original, edits);
    }

    /// <summary>Puts a tensor in the place of a stored one, for one node that reads it.</summary>
    public void Put(Node reader, string stored, OnnxTensor tensor) => Put(PathTo(reader, stored), tensor);

    /// <summary>Bits of the narrowest form.</summary>
    public int Bits => _rounded.Select(weight => weight.Bits).DefaultIfEmpty(32).Min();

    /// <summary>Rounds all low-bit weights as was chosen, two at a time: what one thread does alone for one of them, another does for
    /// the other.</summary>
    /// <exception cref="GraphGen.LortaException">LRT703: of the weights that do not fit their type, the first in the file's
    /// order, whichever thread finds its own first.</exception>
    public void Round()
    {
        var failures = new ConcurrentDictionary<long, ExceptionDispatchInfo>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce };
        Parallel.ForEach(_rounded.OfType<QuantizedWeight>(), options, (weight, loop, index) =>
        {
            try
            {
                weight.Compute();
            }
            catch (Exception e) when (failures.TryAdd(index, Captured(e)))
            {
                loop.Break();   // the weights before this one are still rounded
            }
        });
        if (!failures.IsEmpty) failures.MinBy(failure => failure.Key).Value.Throw();
    }

    // What threads inside found comes as one failure that holds theirs.
    private static ExceptionDispatchInfo Captured(Exception failure) =>
        ExceptionDispatchInfo.Capture(failure is AggregateException all ? all.Flatten().InnerExceptions[0] : failure);

    /// <summary>What storing cost; asks after the weights were written.</summary>
    public Rounding? Rounding()
    {
        var lossy = Measured().Where(weight => weight.Bits < 32).ToList();
        if (lossy.Count == 0) return null;
        var narrowest = lossy.MinBy(weight => weight.Bits)!;
        return new Rounding(
            narrowest.Form, narrowest.Bits, lossy.Count, lossy.Max(weight => weight.MaxAbs), lossy.Max(weight => weight.MaxRel));
    }

    /// <summary>Whether the exact numbers of any weight are not the base's.</summary>
    public bool ChangesNumbers() => Measured().Any(weight => weight.IsChanged);

    private List<RoundedWeight> Measured()
    {
        foreach (var weight in _rounded.Where(weight => !weight.IsMeasured)) weight.Compute();
        return _rounded;
    }

    private void Replace(List<(Value Value, Node Reader, int Index)> path, FloatNumbers original, IReadOnlyList<WeightEdit> edits)
    {
        var type = original.Stored.Type;
        var cast = path.FindIndex(step => step.Value.Producer is { Op: "Cast" });
        if (widen && type != ElementType.Float && cast >= 0 && path.Skip(cast + 1).All(step => step.Reader.Op is "Cast" or "Identity"))
        {
            PutInPlaceOf(
                path[..(cast + 1)], Rounded(new FloatWeight(original, edits, ElementType.Float)).Stored, path[^1].Value.IsExternal);
            return;
        }
        if (widen && type != ElementType.Float && cast >= 0 && path.Skip(cast + 1).All(step => ViewOps.KeepsNumbers(step.Reader)))
        {
            // the views take float32 as well, and the Cast does nothing
            Copy(path, Rounded(new FloatWeight(original, edits, ElementType.Float)).Stored);
            return;
        }
        Put(path, Rounded(new FloatWeight(original, edits, type)).Stored);
    }

    // Scales are read beside the codes, or by another node (a product of integers is rescaled behind it).
    private void Replace(
        List<(Value Value, Node Reader, int Index)> path, BlockLayout codes, QuantizedMatrix original, IReadOnlyList<WeightEdit> edits)
    {
        var weight = Rounded(new QuantizedWeight(original, edits, choice));
        var reader = model.Graph.Find(codes.Reader)!.Producer!;
        var copied = Put(path, weight.Codes);
        Put(PathTo(copied.GetValueOrDefault(reader, reader), codes.Scales), weight.Scales);
    }

    private T Rounded<T>(T weight)
        where T : RoundedWeight
    {
        _rounded.Add(weight);
        return weight;
    }

    // In place where one node reads the tensor, else as a copy. Gives the nodes that were copied, too.
    private Dictionary<Node, Node> Put(List<(Value Value, Node Reader, int Index)> path, OnnxTensor tensor)
    {
        if (path.Any(step => step.Value.Uses.Count > 1 || model.Graph.IsOutput(step.Value))) return Copy(path, tensor);
        path[^1].Value.Producer?.SetValue(tensor);
        if (path[^1].Value.Producer is null) path[^1].Value.Constant = tensor;
        return [];
    }

    // From the node's operand back to the stored tensor: each value, and who reads it on this way.
    private static List<(Value Value, Node Reader, int Index)> PathTo(Node node, string stored)
    {
        for (var index = 0; index < node.Inputs.Count; index++)
        {
            if (StoredPath.Of(node.Inputs[index]) is not { } way || way.Stored.Name != stored) continue;
            var path = new List<(Value, Node, int)> { (way.Value, node, index) };
            foreach (var step in way.Steps.Reverse()) path.Add((step.Node.Input(step.Input)!, step.Node, step.Input));
            return path;
        }
        throw new InvalidOperationException($"{node} does not read {stored}");
    }

    // Others read the tensor as it is: this node gets one of its own, behind copies of the operators in between.
    private Dictionary<Node, Node> Copy(List<(Value Value, Node Reader, int Index)> path, OnnxTensor tensor)
    {
        var (original, copies) = (path[^1].Value, new Dictionary<Node, Node>());
        var value = model.Graph.AddConstant($"{original.Name}_folded", tensor);
        value.IsExternal = original.IsExternal;
        for (var i = path.Count - 1; i > 0; i--)
        {
            var step = path[i].Reader;
            var (data, copied) = (path[i].Index, value);
            var copy = step.On(step.Inputs.Select((input, at) => at == data ? copied : input),
                [model.Graph.AddValue($"{step.Output.Name}_folded", step.Output.Type, step.Output.Shape)]);
            if (step.Name.Length > 0) copy.Name = $"{step.Name}_folded";
            model.Graph.Add(copy, step);
            copies[step] = copy;
            value = copy.Output;
        }
        path[0].Reader.SetInput(path[0].Index, value);
        return copies;
    }

    // Past the Casts: from here on the node reads float32.
    private void PutInPlaceOf(List<(Value Value, Node Reader, int Index)> path, OnnxTensor tensor, bool isExternal)
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
