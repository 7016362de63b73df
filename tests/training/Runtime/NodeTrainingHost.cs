using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Tests.Runtime;

/// <summary>ONNX Runtime Training 1.19.2 as WebAssembly in a process of Node: the host that is at hand wherever the tests run.</summary>
internal sealed class NodeTrainingHost : IOrtTrainingHost
{
    private static readonly string Folder = Path.Combine(Fixtures.Repository, "tests", "conformance");

    private static readonly Dictionary<string, ElementType> Types = new(StringComparer.Ordinal)
    {
        ["float32"] = ElementType.Float,
        ["int64"] = ElementType.Int64,
        ["int32"] = ElementType.Int32,
        ["bool"] = ElementType.Bool,
    };

    private readonly Process _process;
    private readonly OrtCheckpoint _first;
    private readonly HostMoments? _moments;

    private NodeTrainingHost(string folder, OptimizerOptions? moments)
    {
        _process = Process.Start(new ProcessStartInfo("node", [Path.Combine(Folder, "training-host.mjs")]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        _first = OrtCheckpoint.Load(Path.Combine(folder, "checkpoint")).InMemory();
        _moments = moments is null ? null : new HostMoments(_first, moments);
        Ask("open", folder);
    }

    /// <summary>Opens folders in Node; ends the running test as ignored where the packages of <c>tests/conformance</c> are not installed.</summary>
    /// <param name="rates">The learning rate of each step, which this host cannot be told.</param>
    public static OrtTrainingHostKind Kind(params IReadOnlyList<double> rates) => Kind(moments: null, rates);

    /// <summary>The same with moments that it can tell.</summary>
    /// <param name="moments">The optimizer that they are of; null = it tells none.</param>
    /// <param name="rates">The learning rate of each step.</param>
    public static OrtTrainingHostKind Kind(OptimizerOptions? moments, IReadOnlyList<double> rates)
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules", "onnxruntime-web-training")))
            Assert.Ignore("Run `npm ci` in tests/conformance first.");
        return new(folder => new NodeTrainingHost(folder, moments)) { NeedsEmbeddedWeights = true, NeedsGradients = moments is not null, Rates = rates };
    }

    public IReadOnlyList<OnnxTensor> Train(IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs)
    {
        var outputs = Outputs(Ask("train", Written(inputs)));
        _moments?.Add([.. outputs.TakeLast(_first.Trained.Count)]);
        return outputs;
    }

    public IReadOnlyList<OnnxTensor> Evaluate(IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs) => Outputs(Ask("eval", Written(inputs)));

    public void Step(float learningRate)
    {
        Ask("step", true);
        _moments?.Step();
    }

    public void ResetGradients()
    {
        Ask("reset", true);
        _moments?.Clear();
    }

    // The runtime tells parameters only, one behind the other.
    public OrtCheckpoint Save()
    {
        var all = Read(Ask("parameters", true)).ToFloats();
        var start = 0;
        return _first with
        {
            Trained = [.. _first.Trained.Select(parameter => parameter with { Value = Next(parameter.Value) })],
            Groups = _moments is null ? [] : [_moments.ToGroup()],
        };

        OnnxTensor Next(OnnxTensor like) => OnnxTensor.Of<float>([.. like.Dims], all.AsSpan((start += (int)like.Count) - (int)like.Count, (int)like.Count));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20))) _process.Kill();
        _process.Dispose();
    }

    private JsonObject Ask(string command, JsonNode argument)
    {
        _process.StandardInput.WriteLine(new JsonObject { [command] = argument }.ToJsonString());
        _process.StandardInput.Flush();
        var answer = JsonNode.Parse(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"Node ended at '{command}'."))!.AsObject();
        return answer["error"] is { } error ? throw new InvalidOperationException($"{command}: {error}") : answer;
    }

    private static JsonObject Written(IEnumerable<KeyValuePair<string, OnnxTensor>> inputs) =>
        new(inputs.Select(input => KeyValuePair.Create<string, JsonNode?>(input.Key, new JsonObject
        {
            ["type"] = Types.Single(type => type.Value == input.Value.Type).Key,
            ["dims"] = new JsonArray([.. input.Value.Dims.Select(dim => JsonValue.Create(dim))]),
            ["data"] = Convert.ToBase64String(input.Value.Bytes),
        })));

    private static List<OnnxTensor> Outputs(JsonObject answer) => [.. answer.Select(output => Read(output.Value!))];

    private static OnnxTensor Read(JsonNode tensor) => OnnxTensor.FromBytes(
        Types[tensor["type"]!.GetValue<string>()], tensor["dims"].Deserialize<long[]>(), Convert.FromBase64String(tensor["data"]!.GetValue<string>()));
}
