using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Writes the model's own parameters that were trained alongside the adapter: every stored copy of each, in the file's
/// orientation and type.</summary>
/// <param name="deployed">The model as it was.</param>
/// <param name="model">The graph that changes.</param>
internal sealed class ParameterWriter(OnnxModel deployed, OnnxModel model)
{
    private readonly Lazy<IReadOnlyList<ParameterName>> _names = new(() => ParameterNames.Of(deployed));

    public void Write(Adapter adapter)
    {
        foreach (var (name, value) in adapter.ParametersOf(deployed, _names))
        {
            if (_names.Value.FirstOrDefault(candidate => candidate.Name == name) is { } stored) Write(stored, value);
            else OmittedBias.Write(deployed, model, _names.Value, (name, value));
        }
    }

    private void Write(ParameterName name, OnnxTensor value)
    {
        foreach (var initializer in name.Also.Prepend(name.Initializer))
        {
            var target = Own(model.Graph.Find(initializer)!, name);
            var stored = target.Constant!;
            if (!stored.Type.IsFloat()) throw FoldingErrors.NotFloat(name.Name, initializer, stored.Type);
            var numbers = stored.ToFloats();
            Place(
                name with { Initializer = initializer, IsTransposed = ModelParameters.IsTransposed(deployed, initializer, name) },
                stored,
                value.ToFloats(),
                numbers);
            target.Constant = OnnxTensor.FromBytes(stored.Type, [.. stored.Dims], WeightView.Round(numbers, stored.Type));
            if (stored.Type == ElementType.Float) continue;   // nothing was rounded
            var overflown = numbers.Zip(target.Constant.ToFloats())
                .FirstOrDefault(pair => float.IsFinite(pair.First) && !float.IsFinite(pair.Second));
            if (overflown.First != 0) throw FoldingErrors.Overflow(name.Name, overflown.First, stored.Type.Display());
        }
    }

    // Of a tensor that holds equal parameters of several modules, this one gets its own.
    private Value Own(Value stored, ParameterName name)
    {
        var readers = StoredPath.ReadersOf(stored, effect => effect == ViewEffect.Nothing).ToList();
        if (!MergedParameters.IsMerged(_names.Value, name, stored.Constant!, [.. readers.Select(use => use.Node)])) return stored;
        var uses = readers.Where(use => MergedParameters.IsAppliedBy(name, use.Node)).ToList();
        if (uses.Count == 0) throw FoldingErrors.Merged(name.Name, stored.Name);
        var own = model.Graph.AddConstant(name.Name, stored.Constant!);
        own.IsExternal = stored.IsExternal;
        foreach (var use in uses) use.Node.SetInput(use.Index, own);
        return own;
    }

    private static void Place(ParameterName name, OnnxTensor stored, float[] value, float[] numbers)
    {
        if (stored.Rank == 2)
        {
            var matrix = ModelParameters.MatrixOf(stored, name);
            matrix.Write(OnnxTensor.Of<float>([matrix.In, matrix.Out], TensorAxes.Transposed(value, matrix.Out, matrix.In)), numbers);
            return;
        }
        value.CopyTo(numbers, name.Slice is { } part ? (int)part.Start : 0);
    }
}
