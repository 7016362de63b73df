using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Sizes that an export fixes for its inputs.</summary>
/// <param name="Rows">Rows of every batch; null = any number.</param>
/// <param name="Length">Tokens of every row; null = any number.</param>
internal sealed record FixedSizes(int? Rows, int? Length)
{
    /// <summary>Inputs that hold token ids, [rows, length].</summary>
    public IReadOnlyList<string> Ids { get; init; } = [TextInputs.Ids, TextInputs.DecoderIds];

    /// <summary>Whether padding is masked. Where it is not, rows cannot be padded to the fixed length.</summary>
    public bool IsPaddingMasked { get; init; } = true;

    /// <summary>Reads the sizes off the inputs that hold a number per token. Where no name says which are the ids, these are the integers
    /// [rows, length] that are looked up in a table, and other integers of this shape go with them.</summary>
    public static FixedSizes Of(Graph graph)
    {
        var rows = TextInputs.Fed(graph).Where(input => input.Shape?.Rank == 2).ToList();
        var named = rows.Where(input => TextInputs.RoleOf(input.Name) != TextRole.None).ToList();
        if (named.Any(input => TextInputs.RoleOf(input.Name) == TextRole.Ids))
            return new FixedSizes(FixedAt(named, axis: 0), FixedAt(named, axis: 1));
        var integers = rows.Where(input => input.Type is ElementType.Int64 or ElementType.Int32).ToList();
        return new FixedSizes(FixedAt(integers, axis: 0), FixedAt(integers, axis: 1))
        {
            Ids = [.. integers.Where(input => TokenEmbedding.Rows(input) is not null).Select(input => input.Name)],
        };
    }

    /// <summary>Cuts a batch into runs of the fixed number of rows, each padded to the fixed length.</summary>
    /// <param name="inputs">Tensors whose first axis is the row; those of rank 2 and of the token ids' length hold a number per
    /// token.</param>
    /// <param name="filler">The token id that rows are padded with.</param>
    /// <exception cref="LortaException">LRT413: rows are longer than the fixed length; LRT414: they are shorter, and nothing masks what
    /// they are padded with.</exception>
    public FixedRuns Cut(IReadOnlyDictionary<string, OnnxTensor> inputs, long filler)
    {
        var ids = Ids.Select(inputs.GetValueOrDefault).OfType<OnnxTensor>().FirstOrDefault(tensor => tensor.Rank == 2);
        if (ids is null || (Rows is null && Length is null)) return FixedRuns.Whole(inputs);
        var (rows, length) = ((int)ids.Dims[0], (int)ids.Dims[1]);
        if (length > Length) throw LossErrors.RowTooLong(length, Length.Value);
        if (length < Length && !IsPaddingMasked) throw LossErrors.RowTooShort(length, Length.Value);
        return new FixedRuns(
            inputs, (rows, Rows ?? Math.Max(1, rows)), (length, Length ?? length), name => Ids.Contains(name) ? filler : 0);
    }

    private static int? FixedAt(List<Value> inputs, int axis) =>
        (int?)inputs.Select(input => input.Shape![axis].Value).FirstOrDefault(size => size is > 0 and <= int.MaxValue);
}
