using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Writes biases that an adapter changes back to where the file keeps them: as an input of the operator that adds them, whole
/// or as a part of a packed vector, in the stored type; where several operators read one vector, each gets its own. A layer without bias
/// gets an addition.</summary>
/// <param name="understood">The model as it was.</param>
/// <param name="model">The graph that changes.</param>
/// <param name="writer">Puts tensors into it.</param>
internal sealed class BiasWriter(UnderstoodModel understood, OnnxModel model, WeightWriter writer)
{
    private readonly Dictionary<string, StoredBias> _stored = new(StringComparer.Ordinal);
    private readonly Dictionary<string, float[]> _added = new(StringComparer.Ordinal);

    /// <summary>Whether any number is another one now.</summary>
    public bool ChangesNumbers { get; private set; }

    /// <summary>b of a layer that has one, [out].</summary>
    /// <exception cref="LortaException">LRT710: it is no stored vector.</exception>
    public OnnxTensor Read(Projection linear)
    {
        var bias = Of(linear);
        return OnnxTensor.Vector<float>([.. linear.Stored.BiasColumns!.Numbers.Select(at => bias.Numbers[at] * bias.FactorAt(at))]);
    }

    /// <summary>Notes the new bias of a layer, [out].</summary>
    public void Replace(Projection linear, OnnxTensor bias)
    {
        var values = bias.ToFloats();
        if (linear.Bias is null)
        {
            Add(linear, values);
            return;
        }
        var stored = Of(linear);
        foreach (var (value, at) in values.Zip(linear.Stored.BiasColumns!.Numbers))
        {
            var factor = stored.FactorAt(at);
            if (factor == 0) continue;   // what a factor of 0 hides stays as it is
            ChangesNumbers |= !stored.Numbers[at].Equals(value / factor);
            stored.Numbers[at] = value / factor;
        }
    }

    /// <summary>Notes that a layer has another weight now: codes of a bias that have no scale of their own follow it.</summary>
    public void Follow(Projection linear)
    {
        if (linear.Bias is not null && ReaderIn(model, linear) is { Op: OrtOps.QGemm }) Of(linear);
    }

    /// <summary>Writes what was noted.</summary>
    /// <exception cref="LortaException">LRT703: a number that the stored type cannot hold.</exception>
    public void Write()
    {
        foreach (var bias in _stored.Values.Where(bias => bias.IsChanged)) writer.Put(bias.Reader, bias.Name, bias.ToTensor());
        if (_added.Count == 0) return;
        ShapeInference.Infer(model.Graph);
        foreach (var (output, values) in _added) AddBehind(model.Graph.Find(output)!, values);
        model.Graph.Sort();
    }

    private StoredBias Of(Projection linear)
    {
        var place = linear.Stored;
        if (place is not { Bias: { } name, BiasOutput: { } output } || ReaderIn(model, linear) is not { } reader)
            throw FoldingErrors.BiasNotStored(linear.Address);
        var key = $"{output}/{name}";
        if (_stored.TryGetValue(key, out var known)) return known;
        var path = reader.Inputs.Select(StoredPath.Of).First(path => path?.Stored.Name == name)!;
        var scale = StoredBias.ScaleOf(path, ReaderIn(understood.Deployed, linear)!);
        return _stored[key] = new StoredBias(linear.Address, reader, path, scale, understood.Canonical.FactorOf(linear.Bias!)?.ByOutput);
    }

    private static Node? ReaderIn(OnnxModel model, Projection linear) =>
        linear.Stored.BiasOutput is { } output ? model.Graph.Find(output)?.Producer : null;

    private void Add(Projection linear, float[] values)
    {
        var output = model.Graph.Find(linear.Stored.Output)!;
        if (output.Producer!.Op is not ("MatMul" or "Gemm" or OrtOps.FusedMatMul or OrtOps.MatMulNBits))
            throw FoldingErrors.BiasNotStored(linear.Address);
        var (rows, columns) = linear.Stored.Size;
        var width = linear.Stored.Layout is Layout.OutIn ? rows : columns;
        if (!_added.TryGetValue(output.Name, out var all)) _added[output.Name] = all = new float[width];
        foreach (var (value, at) in values.Zip(linear.Stored.Columns.Numbers)) all[at] = value;
        ChangesNumbers |= values.Any(value => value != 0);
    }

    private void AddBehind(Value output, float[] values)
    {
        var bias = OnnxTensor.FromBytes(output.Type, [values.Length], WeightView.Round(values, output.Type));
        var tape = new Tape(model.Graph, onnxOnly: true);
        var readers = output.Uses.ToHashSet();
        using var scope = tape.Scope($"{output.Name}/bias");
        model.Graph.Splice(output, readers, (tape[output] + tape.Constant(bias)).Value);
    }

    /// <summary>A vector of the file, as one operator reads it.</summary>
    private sealed class StoredBias
    {
        private readonly string _address;
        private readonly OnnxTensor _tensor;
        private readonly StoredPath _path;
        private readonly Func<long, float>? _scale;   // of codes
        private readonly Func<long, float>? _factor;
        private readonly float[]? _byOutput;
        private readonly float[] _original;

        public StoredBias(string address, Node reader, StoredPath path, Func<long, float>? scale, float[]? byOutput)
        {
            (_address, Reader, _path, _tensor, _scale) = (address, reader, path, path.Tensor, scale);
            (_factor, _byOutput) = (path.Factor(), byOutput);
            Numbers = _tensor.Type.IsFloat()
                ? _tensor.ToFloats()
                : [.. _tensor.ToLongs().Select((code, at) => code * (_scale ?? throw FoldingErrors.BiasNotStored(address))(at))];
            _original = [.. Numbers];
        }

        public Node Reader { get; }

        public string Name => _path.Stored.Name;

        /// <summary>All numbers, dequantised where they are codes.</summary>
        public float[] Numbers { get; }

        /// <summary>Whether it is written: the numbers are others, or the codes have the scale of the weight, which is another.</summary>
        public bool IsChanged => Reader.Op == OrtOps.QGemm || !Numbers.AsSpan().SequenceEqual(_original);

        /// <summary>What a number is multiplied by between the file and the layer.</summary>
        public float FactorAt(long at) => (_factor?.Invoke(at) ?? 1) * WeightFactor.Of(_byOutput, at);

        public OnnxTensor ToTensor()
        {
            if (!_tensor.Type.IsFloat()) return OnnxTensor.Streamed(ElementType.Int32, [.. _tensor.Dims], Codes);
            var stored = OnnxTensor.FromBytes(_tensor.Type, [.. _tensor.Dims], WeightView.Round(Numbers, _tensor.Type));
            var overflown = Numbers.Zip(stored.ToFloats())
                .FirstOrDefault(pair => float.IsFinite(pair.First) && !float.IsFinite(pair.Second));
            return overflown.First == 0 ? stored : throw FoldingErrors.Overflow(_address, overflown.First, _tensor.Type.Display());
        }

        /// <summary>The scales of a bias in codes of int32: of its own, one or one for each, or those of x times those of W. Biases have no
        /// zero point. Null where there are none.</summary>
        public static Func<long, float>? ScaleOf(StoredPath path, Node reader)
        {
            if (path.Tensor.Type != ElementType.Int32) return null;
            if (reader.Op == OrtOps.QGemm && path.Steps.Count == 0)
            {
                if ((Scales(reader, 1), Scales(reader, 4)) is not ({ } ofX, { } ofWeight)) return null;
                return at => WeightFactor.Of(ofX, at) * WeightFactor.Of(ofWeight, at);
            }
            if (path.Steps is not [{ Effect: ViewEffect.Codes, Node: var node }, ..] || Scales(node, 1) is not { } scales) return null;
            if (node.Input(2)?.StoredTensor() is { } zero && zero.ToLongs().Any(code => code != 0)) return null;
            return at => WeightFactor.Of(scales, at);
        }

        private static float[]? Scales(Node node, int input) => node.Input(input)?.StoredTensor()?.ToFloats();

        // Made when they are asked for: the weight's scale is known when it has been rounded.
        private Memory<byte> Codes()
        {
            var scale = ScaleOf(_path, Reader)!;
            return OnnxTensor.Vector<int>([.. Numbers.Select((number, at) => Code(number / scale(at)))]).Bytes.ToArray();
        }

        private int Code(float code) =>
            Math.Abs((double)code) < int.MaxValue ? (int)Math.Round(code) : throw FoldingErrors.Overflow(_address, code, "int32");
    }
}
