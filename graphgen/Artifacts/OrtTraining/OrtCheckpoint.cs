
namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>A checkpoint of ONNX Runtime Training: what its training session reads and saves.</summary>
/// <remarks>The parameters that are listed as trained, not the graphs, decide what gets a gradient buffer, moments and updates. Neither
/// the learning rate nor sums of gradients are part of it.</remarks>
internal sealed record OrtCheckpoint
{
    /// <summary>The one optimizer group that the runtime reads.</summary>
    public const string Group = "group0";

    /// <summary>The parameters that training changes.</summary>
    public required IReadOnlyList<OrtParameter> Trained { get; init; }

    /// <summary>Parameters that stay as they are.</summary>
    public IReadOnlyList<OrtParameter> Frozen { get; init; } = [];

    /// <summary>Whether it names the parameters only: their values are loaded from elsewhere.</summary>
    public bool IsNominal { get; init; }

    /// <summary>What optimizers keep; none = moments begin at zero, steps at 0.</summary>
    public IReadOnlyList<OrtOptimizerGroup> Groups { get; init; } = [];

    /// <summary>Notes of whoever saved it.</summary>
    public OrtProperties Properties { get; init; } = new();

    /// <summary>Reads a checkpoint; tensors are read from disk when they are touched.</summary>
    /// <param name="path">The file; larger tensors may lie in <c>path.data</c>.</param>
    /// <exception cref="LortaException">LRT101, LRT103: not readable; LRT105: damaged or not a checkpoint.</exception>
    public static OrtCheckpoint Load(string path) => CheckpointReader.Read(path);

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="path">The file; what one file cannot hold goes to <c>path.data</c>.</param>
    /// <param name="inlineLimit">Bytes of tensors up to which they are in the file itself.</param>
    /// <exception cref="LortaException">LRT104: cannot be written.</exception>
    public void Save(string path, long inlineLimit = CheckpointWriter.InlineLimit) => CheckpointWriter.Write(this, path, inlineLimit);

    /// <summary>The same with all tensors in memory, for a file that is going to be replaced.</summary>
    public OrtCheckpoint InMemory() => this with
    {
        Trained = InMemory(Trained),
        Frozen = InMemory(Frozen),
        Groups = [.. Groups.Select(group => group with
        {
            States = [.. group.States.Select(state => state with { Moments = InMemory(state.Moments) })],
        })],
    };

    /// <summary>The file of tensors that a checkpoint does not hold itself.</summary>
    public static string DataFile(string path) => path + ".data";

    private static IReadOnlyList<OrtParameter> InMemory(IReadOnlyList<OrtParameter> parameters) => [.. parameters.Select(parameter =>
        parameter with
        {
            Value = OnnxTensor.FromBytes(parameter.Value.Type, [.. parameter.Value.Dims], parameter.Value.Bytes.ToArray()),
        })];
}

/// <summary>A named tensor.</summary>
/// <param name="Name">Name of the graphs' input.</param>
/// <param name="Value">Its value; of a nominal checkpoint a tensor without numbers.</param>
internal sealed record OrtParameter(string Name, OnnxTensor Value);

/// <summary>What one optimizer keeps.</summary>
/// <param name="Name">Name of the group.</param>
/// <param name="Step">Steps taken.</param>
/// <param name="InitialLearningRate">Where a schedule of the runtime began.</param>
/// <param name="States">What is kept for each parameter.</param>
internal sealed record OrtOptimizerGroup(
    string Name, long Step, float InitialLearningRate, IReadOnlyList<OrtParameterState> States);

/// <summary>What an optimizer keeps for a parameter.</summary>
/// <param name="Parameter">Name of the parameter.</param>
/// <param name="Moments">AdamW: <c>momentum0</c> and <c>momentum1</c>; SGD: <c>momentum0</c>, all zeros.</param>
internal sealed record OrtParameterState(string Parameter, IReadOnlyList<OrtParameter> Moments)
{
    /// <summary>The running mean of gradients.</summary>
    public const string First = "momentum0";

    /// <summary>The running mean of their squares.</summary>
    public const string Second = "momentum1";
}

/// <summary>Notes by name, each name once.</summary>
internal sealed record OrtProperties
{
    /// <summary>Integers.</summary>
    public IReadOnlyDictionary<string, long> Integers { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Numbers.</summary>
    public IReadOnlyDictionary<string, float> Floats { get; init; } = new Dictionary<string, float>(StringComparer.Ordinal);

    /// <summary>Texts.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
