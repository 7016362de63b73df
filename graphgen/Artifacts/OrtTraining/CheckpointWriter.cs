using Google.FlatBuffers;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>Writes checkpoints of ONNX Runtime Training, field by field: children before parents, as FlatBuffers are built.</summary>
internal sealed class CheckpointWriter
{
    /// <summary>Bytes of tensors from which they go to a file of their own, as those of the runtime do; a FlatBuffer ends at
    /// 2 GB.</summary>
    public const long InlineLimit = 1L << 30;

    private const int TensorAlignment = 16;
    private const int InitialSize = 1 << 16;

    private readonly FlatBufferBuilder _builder;
    private readonly bool _isNominal;
    private readonly Dictionary<OnnxTensor, long>? _external;

    private CheckpointWriter(OrtCheckpoint checkpoint, Dictionary<OnnxTensor, long>? external, long size)
    {
        _builder = new FlatBufferBuilder((int)(InitialSize + (external is null ? size : 0)));
        (_isNominal, _external) = (checkpoint.IsNominal, external);
    }

    /// <summary>Writes a checkpoint.</summary>
    /// <exception cref="LortaException">LRT104: cannot be written.</exception>
    public static void Write(OrtCheckpoint checkpoint, string path, long inlineLimit)
    {
        var tensors = TensorsOf(checkpoint).ToList();
        var size = tensors.Sum(tensor => tensor.ByteCount);
        var external = size > inlineLimit ? Offsets(tensors) : null;
        if (external is not null)
            AtomicFile.Write(OrtCheckpoint.DataFile(path), stream => tensors.ForEach(tensor => tensor.CopyTo(stream)));
        var writer = new CheckpointWriter(checkpoint, external, size);
        writer._builder.Finish(writer.Checkpoint(checkpoint), Slots.Identifier);
        var bytes = writer._builder.DataBuffer;
        AtomicFile.Write(path, stream => stream.Write(bytes.ToArraySegment(bytes.Position, bytes.Length - bytes.Position)));
    }

    private static IEnumerable<OnnxTensor> TensorsOf(OrtCheckpoint checkpoint) => checkpoint.Trained
        .Concat(checkpoint.Frozen)
        .Concat(checkpoint.Groups.SelectMany(group => group.States).SelectMany(state => state.Moments))
        .Select(parameter => parameter.Value)
        .Distinct(ReferenceEqualityComparer.Instance)
        .Cast<OnnxTensor>();

    // One behind the other, without gaps.
    private static Dictionary<OnnxTensor, long> Offsets(IEnumerable<OnnxTensor> tensors)
    {
        var offsets = new Dictionary<OnnxTensor, long>(ReferenceEqualityComparer.Instance);
        var end = 0L;
        foreach (var tensor in tensors)
        {
            offsets[tensor] = end;
            end += tensor.ByteCount;
        }
        return offsets;
    }

    private int Checkpoint(OrtCheckpoint checkpoint)
    {
        var module = Module(checkpoint);
        var groups = List(checkpoint.Groups, Group);
        var properties = Properties(checkpoint.Properties);
        _builder.StartTable(Slots.Checkpoint.Count);
        _builder.AddInt(Slots.Checkpoint.Version, Slots.Version, 0);
        _builder.AddOffset(Slots.Checkpoint.Module, module, 0);
        _builder.AddOffset(Slots.Checkpoint.Groups, groups, 0);
        _builder.AddOffset(Slots.Checkpoint.Properties, properties, 0);
        return _builder.EndTable();
    }

    // The runtime refuses a checkpoint that lacks one of the two lists.
    private int Module(OrtCheckpoint checkpoint)
    {
        var (trained, frozen) = (List(checkpoint.Trained, Tensor), List(checkpoint.Frozen, Tensor));
        _builder.StartTable(Slots.Module.Count);
        _builder.AddOffset(Slots.Module.Trained, trained, 0);
        _builder.AddOffset(Slots.Module.Frozen, frozen, 0);
        _builder.AddBool(Slots.Module.IsNominal, _isNominal, false);
        _builder.AddBool(Slots.Module.HasExternalData, _external is not null, false);
        return _builder.EndTable();
    }

    private int Tensor(OrtParameter parameter)
    {
        var tensor = parameter.Value;
        var name = Text(parameter.Name);
        var dims = _isNominal ? Longs([]) : Longs(tensor.Dims);
        int? bytes = _external is null ? Bytes(tensor) : null;
        _builder.StartTable(Slots.Tensor.Count);
        _builder.AddOffset(Slots.Tensor.Name, name, 0);
        _builder.AddOffset(Slots.Tensor.Dims, dims, 0);
        _builder.AddInt(Slots.Tensor.Type, (int)tensor.Type, 0);
        if (bytes is { } inline) _builder.AddOffset(Slots.Tensor.Bytes, inline, 0);
        _builder.AddLong(Slots.Tensor.ExternalOffset, _external?[tensor] ?? Slots.Tensor.NotExternal, Slots.Tensor.NotExternal);
        return _builder.EndTable();
    }

    private int Group(OrtOptimizerGroup group)
    {
        var (name, states) = (Text(group.Name), List(group.States, State));
        _builder.StartTable(Slots.Group.Count);
        _builder.AddOffset(Slots.Group.Name, name, 0);
        _builder.AddLong(Slots.Group.Step, group.Step, 0);
        _builder.AddFloat(Slots.Group.InitialLearningRate, group.InitialLearningRate, 0);
        _builder.AddOffset(Slots.Group.States, states, 0);
        return _builder.EndTable();
    }

    private int State(OrtParameterState state)
    {
        var (parameter, moments) = (Text(state.Parameter), List(state.Moments, Tensor));
        _builder.StartTable(Slots.State.Count);
        _builder.AddOffset(Slots.State.Parameter, parameter, 0);
        _builder.AddOffset(Slots.State.Moments, moments, 0);
        return _builder.EndTable();
    }

    private int Properties(OrtProperties properties)
    {
        var integers = Notes(properties.Integers, value => _builder.AddLong(Slots.Property.Value, value, 0));
        var floats = Notes(properties.Floats, value => _builder.AddFloat(Slots.Property.Value, value, 0));
        var texts = Notes(
            properties.Texts.ToDictionary(note => note.Key, note => Text(note.Value), StringComparer.Ordinal),
            text => _builder.AddOffset(Slots.Property.Value, text, 0));
        _builder.StartTable(Slots.Properties.Count);
        _builder.AddOffset(Slots.Properties.Integers, integers, 0);
        _builder.AddOffset(Slots.Properties.Floats, floats, 0);
        _builder.AddOffset(Slots.Properties.Texts, texts, 0);
        return _builder.EndTable();
    }

    private int Notes<T>(IReadOnlyDictionary<string, T> notes, Action<T> addValue) =>
        List([.. notes.OrderBy(note => note.Key, StringComparer.Ordinal)], note =>
        {
            var name = Text(note.Key);
            _builder.StartTable(Slots.Property.Count);
            _builder.AddOffset(Slots.Property.Name, name, 0);
            addValue(note.Value);
            return _builder.EndTable();
        });

    private int List<T>(IReadOnlyList<T> items, Func<T, int> write)
    {
        var tables = items.Select(write).ToList();
        _builder.StartVector(sizeof(int), tables.Count, sizeof(int));
        for (var i = tables.Count - 1; i >= 0; i--) _builder.AddOffset(tables[i]);
        return _builder.EndVector().Value;
    }

    private int Longs(IReadOnlyList<long> numbers)
    {
        _builder.StartVector(sizeof(long), numbers.Count, sizeof(long));
        for (var i = numbers.Count - 1; i >= 0; i--) _builder.AddLong(numbers[i]);
        return _builder.EndVector().Value;
    }

    private int Bytes(OnnxTensor tensor)
    {
        _builder.StartVector(1, (int)tensor.ByteCount, TensorAlignment);
        if (tensor.ByteCount > 0) _builder.Add(new ArraySegment<byte>(tensor.Bytes.ToArray()));
        return _builder.EndVector().Value;
    }

    private int Text(string text) => _builder.CreateString(text).Value;
}
