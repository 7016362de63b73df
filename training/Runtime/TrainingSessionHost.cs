using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>The training session of the native library that this process has loaded, where it has one.</summary>
internal sealed class TrainingSessionHost : IOrtTrainingHost
{
    private readonly string _folder;
    private readonly CheckpointState _state;
    private readonly TrainingSession _session;

    private TrainingSessionHost(string folder, SessionOptions options)
    {
        _folder = folder;
        string File(string name) => Path.Combine(folder, name);
        _state = CheckpointState.LoadCheckpoint(File(ArtifactFolder.CheckpointFile));
        try
        {
            _session = new TrainingSession(
                options,
                _state,
                File(ArtifactFolder.TrainingFile),
                File(ArtifactFolder.EvaluationFile),
                File(ArtifactFolder.OptimizerFile));
        }
        catch (Exception)
        {
            _state.Dispose();
            throw;
        }
    }

    /// <summary>Opens folders in this process.</summary>
    /// <exception cref="LortaException">LRT578: not on the CPU.</exception>
    public static OrtTrainingHostKind Kind(OrtEngineOptions settings) => settings.IsCuda
        ? throw OrtHostErrors.OnlyCpu(settings.Device)
        : new(folder => Open(folder, settings));

    /// <inheritdoc/>
    public IReadOnlyList<OnnxTensor> Train(IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs) =>
        Run("the training step", inputs, _session.TrainStep);

    /// <inheritdoc/>
    public IReadOnlyList<OnnxTensor> Evaluate(IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs) =>
        Run("the evaluation", inputs, _session.EvalStep);

    /// <inheritdoc/>
    public void Step(float learningRate) => Wrap("the optimizer step", () =>
    {
        _session.SetLearningRate(learningRate);   // not part of checkpoints
        _session.OptimizerStep();
        _session.LazyResetGrad();
        return true;
    });

    /// <inheritdoc/>
    public void ResetGradients() => Wrap("forgetting gradients", () =>
    {
        _session.LazyResetGrad();
        return true;
    });

    /// <inheritdoc/>
    public OrtCheckpoint Save()
    {
        var path = Path.Combine(_folder, "saved");
        Wrap("saving the checkpoint", () =>
        {
            CheckpointState.SaveCheckpoint(_state, path, includeOptimizerState: true);
            return true;
        });
        return OrtCheckpoint.Load(path).InMemory();   // the next one is written to the same file
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _state.Dispose();   // the session keeps no copy
    }

    private static TrainingSessionHost Open(string folder, OrtEngineOptions settings)
    {
        using var options = settings.ToSessionOptions();
        try
        {
            return Wrap("opening the artifacts", () => new TrainingSessionHost(folder, options));
        }
        catch (InvalidOperationException e)
        {
            throw OrtHostErrors.NoTraining(e);   // what the managed library says where the native one has no table of training
        }
    }

    private static List<OnnxTensor> Run(string what, IReadOnlyList<KeyValuePair<string, OnnxTensor>> inputs,
        Func<IReadOnlyCollection<OrtValue>, IDisposableReadOnlyCollection<OrtValue>> run)
    {
        var values = inputs.Select(input => OrtTensors.ToOrt(input.Value)).ToList();
        try
        {
            return Wrap(what, () =>
            {
                using var outputs = run(values);
                return outputs.Select(OrtTensors.FromOrt).ToList();
            });
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
    }

    private static T Wrap<T>(string what, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (OnnxRuntimeException e)
        {
            throw OrtHostErrors.Failed(what, RuntimeErrors.Reason(e.Message), e);
        }
    }
}
