using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Inputs;

/// <summary>Masks that fused attention reads as lengths: of a row's ones and zeros it knows only how many ones there are, and takes them
/// for the first ones.</summary>
/// <param name="Path">The model's file.</param>
/// <param name="Readers">For each such input of the graph, the first attention that reads it.</param>
internal sealed record LengthMasks(string Path, IReadOnlyList<(string Input, Node Attention)> Readers)
{
    // Between a mask and its sum, and between the sum and attention: the first input that is not stored is the way on.
    private static bool IsPassed(Node node) => node.Op is "Sub" or "Add" or "Min" or "Max" or "Clip" || ViewOps.KeepsNumbers(node);

    /// <summary>Graphs without such masks.</summary>
    public static LengthMasks None { get; } = new(string.Empty, []);

    /// <summary>Reads a deployed model.</summary>
    public static LengthMasks Of(OnnxModel deployed)
    {
        var readers = from node in deployed.Graph.Nodes
                      let input = LengthsOf(node) is { } lengths ? SummedInput(lengths) : null
                      where input is not null
                      select (Input: input, Attention: node);
        return new LengthMasks(deployed.Path, [.. readers.DistinctBy(reader => reader.Input)]);
    }

    /// <summary>Refuses a batch with a row that no length says.</summary>
    /// <param name="batch">Inputs by name.</param>
    /// <exception cref="LortaException">LRT207: a row whose ones are not the first positions.</exception>
    public void Check(IReadOnlyDictionary<string, OnnxTensor> batch)
    {
        foreach (var (input, attention) in Readers)
            if (batch.TryGetValue(input, out var mask) && mask.Rank == 2 && FirstWithHoles(mask) is { } row)
                throw DiscoveryErrors.MaskIsNoLength(Path, attention, input, row);
    }

    private static Value? LengthsOf(Node node) => node.Op switch
    {
        OrtOps.GroupQueryAttention or OrtOps.QAttention => node.Input(5),
        OrtOps.Attention => node.Input(3),
        OrtOps.MultiHeadAttention => node.Input(4),
        "Attention" => node.Input(6),
        _ => null,
    };

    // The input of the graph whose sum a value is; null where it is no sum of an input.
    private static string? SummedInput(Value value)
    {
        var (at, isSummed) = (value, false);
        while (!at.IsInput)
        {
            if (at.Producer is not { } node) return null;
            var isSum = node.Op == "ReduceSum";
            var isCounted = node.Op == OrtOps.EmbedLayerNormalization && node.Outputs.Count > 1 && node.Outputs[1] == at;
            if (!isSum && !isCounted && !IsPassed(node)) return null;
            isSummed |= isSum || isCounted;
            var next = isCounted ? node.Input(7) : node.Inputs.FirstOrDefault(input => input is not null && input.StoredTensor() is null);
            if (next is null) return null;
            at = next;
        }
        return isSummed ? at.Name : null;
    }

    private static long? FirstWithHoles(OnnxTensor mask)
    {
        var values = mask.Type.IsFloat() ? Array.ConvertAll(mask.ToFloats(), value => value != 0 ? 1L : 0) : mask.ToLongs();
        var length = mask.Dims[1];
        for (var i = 1; i < values.Length; i++)
            if (i % length != 0 && values[i] != 0 && values[i - 1] == 0) return i / length;
        return null;
    }
}
