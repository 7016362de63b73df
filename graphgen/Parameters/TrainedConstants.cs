using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>Puts inputs in the place of the constants of a training copy that hold parameters. A packed tensor is put together from its
/// trained parts and what stays of it, once for all of them.</summary>
/// <param name="canonical">The training copy.</param>
/// <param name="tape">Tape of its graph.</param>
/// <param name="names">The model's parameters.</param>
internal sealed class TrainedConstants(CanonicalModel canonical, Tape tape, IReadOnlyList<ParameterName> names)
{
    private readonly List<TrainedPart> _parts = [];

    public CanonicalModel Canonical => canonical;

    public Tape Tape => tape;

    public IReadOnlyList<ParameterName> Names => names;

    /// <summary>Lets the readers of a parameter read an input. Parts of packed tensors are only noted.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="input">Its numbers, in PyTorch's orientation.</param>
    /// <exception cref="LortaException">LRT314: nobody reads it, or it is not clear who does.</exception>
    public void Replace(ParameterName name, Expr input)
    {
        var copies = name.Also.Prepend(name.Initializer).SelectMany(initializer => Copies(initializer, name, input)).ToList();
        var read = copies.Where(copy => copy.Readers.Count > 0).ToList();
        if (read.Count == 0)
            throw ParameterErrors.CannotTrain(
                name.Name,
                copies.Count == 0
                    ? "the graph does not compute with it"
                    : $"the file stores it in one tensor with other parameters, '{name.Initializer}', "
                        + "and its nodes do not show which part is which");
        foreach (var copy in read)
        {
            if (copy.IsWhole) tape.Graph.ReplaceUses(copy.Constant, copy.Numbers.Value, copy.Readers.Contains);
            else _parts.Add(copy);
        }
    }

    /// <summary>Puts together the packed tensors that have trained parts.</summary>
    public void Write()
    {
        foreach (var packed in _parts.GroupBy(part => part.Constant))
        {
            var (readers, axis) = (packed.First().Readers, packed.First().Axis);
            using var scope = tape.Scope(packed.Key.Name);
            var (stored, size, at) = (tape[packed.Key], packed.First().Size, 0L);
            var pieces = new List<Expr>();
            foreach (var part in packed.OrderBy(part => part.Start))
            {
                if (part.Start > at) pieces.Add(stored.Slice(axis, at, part.Start));
                pieces.Add(part.Numbers);
                at = part.End;
            }
            if (at < size) pieces.Add(stored.Slice(axis, at, size));
            tape.Graph.ReplaceUses(packed.Key, Expr.Concat(axis, [.. pieces]).Value, readers.Contains);
        }
    }

    // The constants of the training copy that hold numbers of the parameter. Of a stored vector they may be parts.
    private IEnumerable<TrainedPart> Copies(string initializer, ParameterName name, Expr input)
    {
        var isStoredTransposed = ModelParameters.IsTransposed(canonical.Deployed, initializer, name);
        foreach (var constant in tape.Graph.Initializers.Where(value => !value.IsInput).ToList())
        {
            if (canonical.OriginOf(constant) is not { } origin || origin.Initializer != initializer) continue;
            var isTransposed = isStoredTransposed ^ origin.IsTransposed;
            var numbers = (isTransposed ? input.T : input).Scaled(ScaleOf(constant, name.Name));
            if (PartOf(constant, origin.Start, name, (numbers, isTransposed)) is { } part) yield return part;
        }
    }

    private TrainedPart? PartOf(Value constant, long constantStart, ParameterName name, (Expr Numbers, bool IsTransposed) parameter)
    {
        var (numbers, readers) = (parameter.Numbers, ReadersOf(constant, name));
        if (numbers.Rank != constant.Rank && name.Slice is not null)
            throw ParameterErrors.CannotTrain(name.Name, "the file packs it with others in a tensor of other axes");
        if (numbers.Rank != constant.Rank)
            return new TrainedPart(constant, numbers.Reshape(constant.Shape!.Known!), readers) { Size = 1, End = 1 };
        var axis = parameter.IsTransposed ? constant.Rank - 1 : 0;
        if (constant.Rank == 0) return new TrainedPart(constant, numbers, readers) { Size = 1, End = 1 };
        var (size, length, start) = (constant.Shape![axis].Value!.Value, numbers.Shape[axis].Value!.Value, name.Slice?.Start ?? 0);
        var (from, to) = (Math.Max(constantStart, start), Math.Min(constantStart + size, start + length));
        if (from >= to) return null;
        if (to - from < length) numbers = numbers.Slice(axis, from - start, to - start);
        return new TrainedPart(constant, numbers, readers)
        {
            Axis = axis,
            Start = from - constantStart,
            End = to - constantStart,
            Size = size,
        };
    }

    // A single number that the file multiplies the parameter with (Gemm's alpha and beta).
    private double ScaleOf(Value constant, string name) =>
        (canonical.OriginOf(constant)!.IsScaled, canonical.FactorOf(constant)) switch
        {
            (false, null or { ByInput: null, ByOutput: null }) => 1,
            (false, { ByInput: null, ByOutput: [var single] }) => single,
            _ => throw ParameterErrors.CannotTrain(name, "the file scales its features on the way to the product"),
        };

    private HashSet<Use> ReadersOf(Value constant, ParameterName name)
    {
        var readers = constant.Uses.Select(use => use.Node.Source ?? use.Node).ToList();
        return MergedParameters.IsMerged(names, name, constant.Constant!, readers)
            ? [.. constant.Uses.Where(use => MergedParameters.IsAppliedBy(name, use.Node.Source ?? use.Node))]
            : [.. constant.Uses];
    }

    /// <summary>A constant, or a range of it along an axis, whose numbers come from an input.</summary>
    private sealed record TrainedPart(Value Constant, Expr Numbers, HashSet<Use> Readers)
    {
        public int Axis { get; init; }

        public long Start { get; init; }

        public long End { get; init; }

        /// <summary>Length of the constant along the axis.</summary>
        public long Size { get; init; }

        public bool IsWhole => Start == 0 && End == Size;
    }
}
