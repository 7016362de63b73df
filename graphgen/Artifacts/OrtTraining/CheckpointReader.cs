using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>Reads checkpoints of ONNX Runtime Training.</summary>
internal sealed class CheckpointReader
{
    private readonly FlatFile _file;
    private readonly bool _isNominal;
    private readonly bool _hasExternalData;
    private readonly Lazy<MappedFile> _data;

    private CheckpointReader(FlatTable module, string path)
    {
        _file = module.File;
        _isNominal = module.Bool(Slots.Module.IsNominal);
        _hasExternalData = module.Bool(Slots.Module.HasExternalData);
        _data = new Lazy<MappedFile>(() => MappedFile.Open(OrtCheckpoint.DataFile(path)));
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <exception cref="LortaException">LRT101, LRT103: not readable; LRT105: damaged or not a checkpoint.</exception>
    public static OrtCheckpoint Read(string path)
    {
        var root = FlatFile.Open(path, Slots.Identifier, "a checkpoint of ONNX Runtime Training");
        var version = root.Int(Slots.Checkpoint.Version, 0);
        if (version != Slots.Version) throw root.File.Corrupt($"is a checkpoint of version {version}; version {Slots.Version} is read");
        var module = root.Table(Slots.Checkpoint.Module) ?? throw root.File.Corrupt("holds no parameters");
        var reader = new CheckpointReader(module, path);
        var trained = reader.Parameters(module.Tables(Slots.Module.Trained));
        var frozen = reader.Parameters(module.Tables(Slots.Module.Frozen));
        reader.CheckUnique([.. trained.Concat(frozen).Select(parameter => parameter.Name)]);
        return new OrtCheckpoint
        {
            Trained = trained,
            Frozen = frozen,
            IsNominal = reader._isNominal,
            Groups = reader.Groups(root.Tables(Slots.Checkpoint.Groups) ?? []),
            Properties = root.Table(Slots.Checkpoint.Properties) is { } bag ? reader.Properties(bag) : new OrtProperties(),
        };
    }

    private List<OrtParameter> Parameters(IReadOnlyList<FlatTable>? tensors) =>
        [.. (tensors ?? throw _file.Corrupt("lacks a list of parameters")).Select(Parameter)];

    private OrtParameter Parameter(FlatTable tensor)
    {
        var name = Name(tensor, Slots.Tensor.Name);
        var type = (ElementType)tensor.Int(Slots.Tensor.Type, 0);
        if (type.Bits() == 0) throw _file.Corrupt($"parameter '{name}' is of the element type {(int)type}, which is not read");
        return new OrtParameter(name, _isNominal ? Nominal(tensor, name, type) : Stored(tensor, name, type));
    }

    private OnnxTensor Nominal(FlatTable tensor, string name, ElementType type) =>
        tensor.Longs(Slots.Tensor.Dims).Count == 0 && tensor.Bytes(Slots.Tensor.Bytes) is (_, 0)
            ? OnnxTensor.FromBytes(type, [0], Memory<byte>.Empty)
            : throw _file.Corrupt($"is a nominal checkpoint, but parameter '{name}' has numbers");

    private OnnxTensor Stored(FlatTable tensor, string name, ElementType type)
    {
        var dims = tensor.Longs(Slots.Tensor.Dims).ToArray();
        var size = SizeOf(name, type, dims);
        var offset = tensor.Long(Slots.Tensor.ExternalOffset, Slots.Tensor.NotExternal);
        if (_hasExternalData && offset >= 0)
        {
            var file = _data.Value;
            return offset <= file.Length - size
                ? OnnxTensor.FromFile(type, dims, file, offset)
                : throw FileErrors.Corrupt(file.Path, $"ends before the {size} bytes of parameter '{name}'");
        }
        var (first, count) = tensor.Bytes(Slots.Tensor.Bytes) ?? throw _file.Corrupt($"parameter '{name}' has no numbers");
        return count == size
            ? OnnxTensor.FromFile(type, dims, _file.Mapped, first)
            : throw _file.Corrupt($"parameter '{name}' has {count} bytes, its type and shape need {size}");
    }

    private long SizeOf(string name, ElementType type, long[] dims)
    {
        if (Array.Exists(dims, size => size < 0)) throw _file.Corrupt($"parameter '{name}' has a negative dimension");
        try
        {
            return type.Bytes(dims.Size());
        }
        catch (OverflowException)
        {
            throw _file.Corrupt($"parameter '{name}' has a shape of more elements than can be counted");
        }
    }

    private List<OrtOptimizerGroup> Groups(IReadOnlyList<FlatTable> groups)
    {
        List<OrtOptimizerGroup> read =
        [
            .. groups.Select(group => new OrtOptimizerGroup(
                Name(group, Slots.Group.Name),
                group.Long(Slots.Group.Step, 0),
                group.Float(Slots.Group.InitialLearningRate, 0),
                [.. (group.Tables(Slots.Group.States) ?? []).Select(State)])),
        ];
        CheckUnique([.. read.Select(group => group.Name)]);
        foreach (var group in read) CheckUnique([.. group.States.Select(state => state.Parameter)]);
        return read;
    }

    private OrtParameterState State(FlatTable state)
    {
        var moments = (state.Tables(Slots.State.Moments) ?? []).Select(Parameter).ToList();
        CheckUnique([.. moments.Select(moment => moment.Name)]);
        return new OrtParameterState(Name(state, Slots.State.Parameter), moments);
    }

    private OrtProperties Properties(FlatTable bag)
    {
        var properties = new OrtProperties
        {
            Integers = Values(bag.Tables(Slots.Properties.Integers), note => note.Long(Slots.Property.Value, 0)),
            Floats = Values(bag.Tables(Slots.Properties.Floats), note => note.Float(Slots.Property.Value, 0)),
            Texts = Values(bag.Tables(Slots.Properties.Texts), note => note.Text(Slots.Property.Value) ?? string.Empty),
        };
        CheckUnique([.. properties.Integers.Keys, .. properties.Floats.Keys, .. properties.Texts.Keys]);
        return properties;
    }

    private SortedDictionary<string, T> Values<T>(IReadOnlyList<FlatTable>? notes, Func<FlatTable, T> valueOf)
    {
        var values = new SortedDictionary<string, T>(StringComparer.Ordinal);
        foreach (var note in notes ?? [])
        {
            var name = Name(note, Slots.Property.Name);
            if (!values.TryAdd(name, valueOf(note))) throw _file.Corrupt($"names '{name}' twice");
        }
        return values;
    }

    private string Name(FlatTable table, int slot) => table.Text(slot) ?? throw _file.Corrupt("holds an entry without a name");

    private void CheckUnique(IReadOnlyList<string> names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        if (names.FirstOrDefault(name => !seen.Add(name)) is { } twice) throw _file.Corrupt($"names '{twice}' twice");
    }
}
