namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Which constants go to a second file, and where they lie in it. Models that share tensors can share the file.</summary>
internal sealed class ExternalLayout
{
    private const long Alignment = 4096;   // tensors start at pages, so that runtimes can map them
    private const long WorthIt = 1024;
    private readonly Dictionary<object, long> _offsets = [];
    private readonly List<OnnxTensor> _order = [];
    private readonly string _location;

    /// <summary>Lays out the large constants one behind the other.</summary>
    /// <param name="location">Name of the second file, relative to the model.</param>
    /// <param name="initializers">Constants of the models; small ones stay inside them.</param>
    public ExternalLayout(string location, IEnumerable<Value> initializers)
    {
        _location = location;
        long end = 0;
        foreach (var tensor in initializers.Where(CanLeave).Select(value => value.Constant!).Where(tensor => tensor.ByteCount >= WorthIt))
        {
            if (!_offsets.TryAdd(IdentityOf(tensor), end)) continue;
            _order.Add(tensor);
            end = (end + tensor.ByteCount + Alignment - 1) / Alignment * Alignment;
        }
    }

    public ExternalPlace? PlaceOf(Value value) => _offsets.TryGetValue(IdentityOf(value.Constant!), out var offset) && CanLeave(value)
        ? new ExternalPlace(_location, offset)
        : null;

    // Defaults of inputs stay inside, unless the file kept them outside already (weights that are listed as inputs).
    private static bool CanLeave(Value value) => !value.IsInput || value.IsExternal;

    public void Write(Stream stream)
    {
        foreach (var tensor in _order)
        {
            stream.Write(new byte[_offsets[IdentityOf(tensor)] - stream.Position]);
            tensor.CopyTo(stream);
        }
    }

    // The same bytes of a file may be several tensors: codes of four bits and the bytes that hold them.
    private static object IdentityOf(OnnxTensor tensor) =>
        tensor.File is { } file ? (file, tensor.FileOffset, tensor.ByteCount) : tensor;
}

/// <summary>Where a constant lies outside its model.</summary>
/// <param name="Location">File, relative to the model.</param>
/// <param name="Offset">First byte.</param>
internal readonly record struct ExternalPlace(string Location, long Offset);
