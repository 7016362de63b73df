using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.GraphGen;

/// <summary>An ONNX model. Weights stay in the file until someone asks for their numbers.</summary>
public sealed class OnnxModel
{
    internal OnnxModel(Graph graph) => Graph = graph;

    /// <summary>The main graph.</summary>
    public Graph Graph { get; }

    /// <summary>File that the model came from; empty for a model made in memory.</summary>
    public string Path { get; internal init; } = string.Empty;

    /// <summary>Version of the file format.</summary>
    public long IrVersion { get; internal set; } = 10;

    /// <summary>Tool that wrote the file.</summary>
    public string Producer { get; internal set; } = string.Empty;

    /// <summary>Version of each operator set in use; the empty name is ONNX's own.</summary>
    public IReadOnlyDictionary<string, long> Opsets => OpsetVersions;

    internal SortedDictionary<string, long> OpsetVersions { get; } = new(StringComparer.Ordinal);

    /// <summary>The file's own key/value notes.</summary>
    internal SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Functions that the model defines itself and that are called as such (all others were inlined): why, by their
    /// operators.</summary>
    internal IReadOnlyDictionary<string, string> Functions { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Fields of the stored model that are not modelled.</summary>
    internal ReadOnlyMemory<byte> Remainder { get; init; }

    /// <summary>The version of ONNX's own operator set.</summary>
    internal long Opset => OpsetVersions.GetValueOrDefault(string.Empty);

    /// <summary>The name of the file, for messages and reports.</summary>
    public string FileName => System.IO.Path.GetFileName(Path);

    /// <summary>A model around a graph that was written for ONNX Runtime: opset 21 and its own operators.</summary>
    public static OnnxModel ForRuntime(Graph graph)
    {
        var model = new OnnxModel(graph) { Producer = "LoRTA.Onnx" };
        (model.OpsetVersions[string.Empty], model.OpsetVersions[OrtOps.Domain]) = (21, 1);
        return model;
    }

    /// <summary>Opens a model.</summary>
    /// <param name="path">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <exception cref="LortaException">LRT101 … LRT119: missing, damaged or not a model.</exception>
    public static OnnxModel Load(string path) => ModelReader.Read(Locate(path));

    /// <summary>Writes the model: under a temporary name first, renamed when whole. Weights are streamed from where they lie.</summary>
    /// <param name="path">The <c>.onnx</c> file; constants that were external go to a second file beside it, <c>path.HASH.data</c>, where
    /// HASH is of its content.</param>
    /// <exception cref="LortaException">LRT104: the folder cannot be written or the disk is full.</exception>
    public void Save(string path) => ModelWriter.Save(this, path);

    /// <summary>The files that the model was read from: its own, and those that its weights lie in.</summary>
    public IReadOnlyList<string> Files =>
        [.. Graph.Initializers.Select(value => value.Constant?.File?.Path)
            .Prepend(Path)
            .OfType<string>()
            .Where(path => path.Length > 0)
            .Distinct(StringComparer.Ordinal)];

    /// <summary>Bytes of the files.</summary>
    public long FileBytes => Files.Sum(file => new FileInfo(RealPath.Target(file)).Length);

    /// <summary>Writes the model as <see cref="Save"/> does.</summary>
    /// <returns>Its files.</returns>
    public IReadOnlyList<string> SaveFiles(string path) => ModelWriter.Save(this, path);

    /// <summary>A deep copy whose nodes remember theirs of this model as <see cref="Node.Source"/>; tensors are shared.</summary>
    internal OnnxModel Clone() => ModelCopy.Of(this).Model;

    /// <summary>The one model file that a command-line argument means.</summary>
    internal static string Locate(string path)
    {
        if (!Directory.Exists(path)) return RealPath.HasFile(path) ? path : throw FileErrors.NotFound(path);
        var models = Directory.GetFiles(path, "*.onnx").Order(StringComparer.Ordinal).ToArray();
        return models switch
        {
            [var single] => single,
            [] => throw ModelErrors.NoModel(path),
            _ => throw ModelErrors.SeveralModels(path, models.Select(model => System.IO.Path.GetFileName(model))),
        };
    }
}
