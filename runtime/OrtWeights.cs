using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>Frozen weights that several sessions share: raw numbers stay in mapped files, each packed form is made once.</summary>
/// <remarks>ONNX Runtime shares neither on its own. Handing the mapped numbers to <c>AddInitializer</c> keeps it from copying them; one
/// <c>PrePackedWeightsContainer</c> for all sessions keeps it from packing twice; either alone saves nothing. The model's bytes name the
/// same place as external data, under a root folder that holds every file, because the runtime checks that such a place exists. Releases
/// before 1.21 know no such root: for them model and weights go to a temporary folder, and the session is opened by path.</remarks>
internal sealed class OrtWeights : IDisposable
{
    private const long WorthSharing = 16 << 10;
    private const long WorthCollecting = 64 << 20;
    private readonly Dictionary<OnnxTensor, OnnxTensor> _mapped = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<OnnxTensor, OrtValue> _values = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<MappedFile> _files = [];
    private readonly PrePackedWeightsContainer _packed = new();
    private ScratchFolder? _scratch;
    private int _written;
    private readonly string _root = Path.GetPathRoot(Path.GetFullPath(Path.GetTempPath()))!;

    /// <summary>Opens a session on a model whose large constants are shared.</summary>
    /// <exception cref="LortaException">LRT612: ONNX Runtime cannot load it; LRT615: no room for temporary files, of which none
    /// stays.</exception>
    public InferenceSession Open(OnnxModel model, OrtEngineOptions settings)
    {
        StopRequest.ThrowIfAny();
        try
        {
            return OpenShared(model, settings);
        }
        catch (Exception)
        {
            _scratch?.Dispose();   // whoever fails to open a session does not come to disposing of this
            _scratch = null;
            throw;
        }
    }

    /// <summary>Refuses to go on where a file that sessions read from was shortened in place.</summary>
    /// <exception cref="LortaException">LRT140: it was.</exception>
    public void CheckFiles()
    {
        foreach (var file in _files) file.CheckWhole();
    }

    /// <summary>What it has written to a temporary folder, while sessions read it.</summary>
    internal IEnumerable<string> TemporaryFiles => _scratch is null ? [] : Directory.EnumerateFiles(_scratch.Path);

    public void Dispose()
    {
        foreach (var value in _values.Values) value.Dispose();
        _packed.Dispose();
        _scratch?.Dispose();
    }

    private InferenceSession OpenShared(OnnxModel model, OrtEngineOptions settings)
    {
        var root = settings.OpensByPath ? Scratch.Path : _root;
        MapMissing(model, settings.OpensByPath);
        var shared = model.Graph.Initializers
            .Where(value => IsLarge(value) && LiesUnder(root, _mapped.GetValueOrDefault(value.Constant!, value.Constant!)))
            .ToDictionary(value => value, value => _mapped.GetValueOrDefault(value.Constant!, value.Constant!));
        using var options = settings.ToSessionOptions();

        // Weights that are widened for one product at a time are large buffers of many sizes, which an arena would keep.
        if (model.Graph.Nodes.Any(node => node.Op == "DequantizeLinear" && node.Output.Shape is { Rank: 2 }))
            options.EnableCpuMemArena = false;
        if (!settings.OpensByPath) options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", root);
        foreach (var (value, tensor) in shared.Where(pair => pair.Value.Type.Bits() >= 8 && !IsReplaced(pair.Key)))
            options.AddInitializer(value.Name, ValueOf(tensor));   // the runtime maps those of 4 bits itself
        var bytes = ModelWriter.ToBytes(model, value => shared.TryGetValue(value, out var tensor) ? PlaceOf(tensor, root) : null);
        foreach (var tensor in shared.Values) _files.Add(tensor.File!);
        CheckFiles();
        if (!settings.OpensByPath) return RuntimeErrors.Wrap(model, () => new InferenceSession(bytes, options, _packed));
        var path = Written("onnx", stream => stream.Write(bytes));
        return RuntimeErrors.Wrap(model, () => new InferenceSession(path, options, _packed));
    }

    private static bool IsLarge(Value value) =>
        value is { IsInput: false, Constant: { } tensor }
            && tensor.Type is ElementType.Float or ElementType.Float16 or ElementType.UInt8 or ElementType.Int8 or ElementType.UInt4
                or ElementType.Int4
            && tensor.ByteCount >= WorthSharing;

    private static bool LiesUnder(string root, OnnxTensor tensor) =>
        tensor.File is { } file && Path.GetFullPath(file.Path).StartsWith(root, StringComparison.Ordinal);

    // MatMulNBits makes packed codes of its own and needs the file's no more: what the runtime maps itself it lets go of then.
    private static bool IsReplaced(Value value) =>
        value.Uses.Count > 0 && value.Uses.All(use => use is { Node.Op: OrtOps.MatMulNBits, Index: 1 });

    // Weights that were widened or transposed have no file yet, others none in the folder of the models: they get one, once for all
    // sessions.
    private void MapMissing(OnnxModel model, bool all)
    {
        var missing = model.Graph.Initializers
            .Where(value => IsLarge(value) && (all || value.Constant!.File is null) && !_mapped.ContainsKey(value.Constant!))
            .ToList();
        if (missing.Count == 0) return;
        var layout = new ExternalLayout(string.Empty, missing);
        var file = MappedFile.Open(Written("weights", layout.Write));

        // what their numbers were made of would stay in memory while the session packs its weights
        if (missing.Sum(value => value.Constant!.ByteCount) >= WorthCollecting)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        foreach (var value in missing)
            _mapped[value.Constant!] = OnnxTensor.FromFile(
                value.Constant!.Type, [.. value.Constant.Dims], file, layout.PlaceOf(value)!.Value.Offset);
    }

    private ScratchFolder Scratch => _scratch ??= IfThereIsRoom(ScratchFolder.Create);

    private string Written(string extension, Action<Stream> write) => IfThereIsRoom(() =>
    {
        var path = Path.Combine(Scratch.Path, string.Create(CultureInfo.InvariantCulture, $"{_written++}.{extension}"));
        using var stream = FileSteps.Create(path);
        write(stream);
        return path;
    });

    private static T IfThereIsRoom<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException
            or UnauthorizedAccessException
            or LortaException { InnerException: IOException or UnauthorizedAccessException })
        {
            throw RuntimeErrors.NoScratch(Path.GetFullPath(Path.GetTempPath()), e.InnerException ?? e);
        }
    }

    private static ExternalPlace PlaceOf(OnnxTensor tensor, string root) =>
        new(Path.GetRelativePath(root, Path.GetFullPath(tensor.File!.Path)).Replace('\\', '/'), tensor.FileOffset);

    private OrtValue ValueOf(OnnxTensor tensor) => _values.TryGetValue(tensor, out var value)
        ? value
        : _values[tensor] = OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance,
            OrtTensors.TypeOf(tensor.Type),
            [.. tensor.Dims],
            tensor.File!.Address + (nint)tensor.FileOffset,
            tensor.ByteCount);
}
