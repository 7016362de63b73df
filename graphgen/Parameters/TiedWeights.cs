namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>Weights that PyTorch holds once and the file twice: an embedding table and the product that turns hidden states into
/// logits.</summary>
internal static class TiedWeights
{
    private const int ComparedElements = 1 << 16;   // elements; independent weights differ in the first

    /// <summary>For each tensor that has copies, the names of the others.</summary>
    public static SortedDictionary<string, IReadOnlyList<string>> Among(IReadOnlyList<AppliedParameter> weights)
    {
        var ties = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var matrices = weights.Where(weight => weight.Initializer.Rank == 2).DistinctBy(weight => weight.Initializer).ToArray();
        foreach (var table in matrices.Where(weight => weight.Initializer.Uses.Any(use => use.Node.Op == "Gather")))
        {
            foreach (var other in matrices.Where(other => other.Initializer != table.Initializer
                && AreEqual(table.Initializer.Constant!, other.Initializer.Constant!, other.IsTransposed)))
            {
                Add(table.Initializer.Name, other.Initializer.Name);
                Add(other.Initializer.Name, table.Initializer.Name);
            }
        }
        return ties;

        void Add(string name, string copy) => ties[name] = [.. ties.GetValueOrDefault(name, []), copy];
    }

    private static bool AreEqual(OnnxTensor a, OnnxTensor b, bool transposed)
    {
        var (rows, columns) = (a.Dims[0], a.Dims[1]);
        if (a.Type != b.Type || a.Type.Bits() % 8 != 0 || !b.Dims.SequenceEqual(transposed ? [columns, rows] : [rows, columns]))
            return false;
        var size = a.Type.Bits() / 8;
        var step = Math.Max(1, a.Count / ComparedElements);
        for (long i = 0; i < a.Count; i += step)
        {
            var j = transposed ? (i % columns * rows) + (i / columns) : i;
            if (!a.Slice(i * size, size).SequenceEqual(b.Slice(j * size, size))) return false;
        }
        return true;
    }
}
