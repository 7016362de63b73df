using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>A linear layer of a graph as a family meets it in <see cref="IAdapterFamily.Emit"/>: y = x·W + b, W [in, out].</summary>
public sealed class AdapterPoint
{
    private readonly LinearPort _port;
    private readonly DropoutInputs? _dropout;
    private readonly Tape _tape;
    private Expr? _x;
    private Expr? _norms;
    private int _masks;

    internal AdapterPoint(Tape tape, AdapterSite site, LinearPort port, DropoutInputs? dropout = null)
    {
        (_tape, Site, _port, _dropout) = (tape, site, port, dropout);
        RawX = tape[port.Input];
        Y = tape[port.Output];
    }

    /// <summary>The layer and its sizes.</summary>
    public AdapterSite Site { get; }

    /// <summary>x with the adapter's dropout, [.., in]; layers that read the same x share the mask.</summary>
    public Expr X => _x ??= _dropout is null ? RawX : _dropout.Shared(RawX, Site);

    /// <summary>x as it is, [.., in].</summary>
    public Expr RawX { get; }

    /// <summary>y after the bias, [.., out].</summary>
    public Expr Y { get; }

    /// <summary>b, [out]; null where the layer has none.</summary>
    public Expr? Bias => _port.Bias(_tape);

    /// <summary>‖W‖ of each output, [out], a constant.</summary>
    public Expr ColumnNorms =>
        _norms ??= _tape.Constant(LinearPort.ColumnNorms(_port.Weight!()), _tape.Graph.UniqueName($"{Site.Key}.norms"));

    /// <summary>rows·W without the bias, by the operator that the file uses: no dense copy of a packed or quantised weight is
    /// made.</summary>
    /// <param name="rows">[n, in].</param>
    /// <returns>[n, out].</returns>
    public Expr Apply(Expr rows) => _port.Apply(rows);

    /// <summary>The layer run on another input, bias included.</summary>
    /// <param name="x">[.., in], of the shape of x.</param>
    /// <returns>[.., out].</returns>
    public Expr Replace(Expr x) => _port.Replace(x);

    /// <summary>The adapter's dropout on a value of the family's own, with a mask of its own.</summary>
    /// <param name="value">[.., n], with the leading axes of x.</param>
    public Expr Dropout(Expr value) => _dropout is null ? value : DropoutInputs.Own(value, Site, _masks++);
}

/// <summary>The masks of an adapter's dropout as inputs of a graph: each element is 0 or 1/(1 − p).</summary>
internal sealed class DropoutInputs
{
    private readonly Dictionary<Value, Expr> _shared = [];

    /// <summary>x with one mask for all sites that read it, so that they still share x·A.</summary>
    public Expr Shared(Expr x, AdapterSite site)
    {
        if (!_shared.TryGetValue(x.Value, out var dropped)) _shared[x.Value] = dropped = Dropped(x, site.Address);
        return dropped;
    }

    /// <summary>Another value with a mask of its own.</summary>
    public static Expr Own(Expr value, AdapterSite site, int number) => Dropped(value, $"{site.Key}.{number}");

    private static Expr Dropped(Expr value, string name) =>
        value * value.Tape[value.Tape.Graph.AddInput(new TensorName(TensorKind.Dropout, name), ElementType.Float, value.Shape)];
}
