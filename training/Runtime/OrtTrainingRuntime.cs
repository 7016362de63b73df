using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Runtime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Trains with ONNX Runtime Training, which keeps tensors, sums of gradients and moments itself. Neither gradients nor their norm
/// can be asked for, so a gradient that is no number shows in the next loss.</summary>
internal sealed class OrtTrainingRuntime : ITrainingRuntime
{
    private const float LeastShare = 1e-3f;   // of the learning rate, by which some number should move in the first step

    private readonly TrainingGraphs _graphs;
    private readonly OrtTrainingGraphs _written;
    private readonly OrtTrainingHostKind _kind;
    private readonly ScratchFolder _folder;
    private readonly BatchFeeds _feeds;
    private IOrtTrainingHost _host;
    private long _step;
    private int _microBatch;
    private bool _hasLearned;   // whether something of a batch was added to the sum of gradients
    private bool _hasMoved;

    /// <summary>Writes the artifacts to a temporary folder and opens them.</summary>
    /// <param name="graphs">The graphs and the tensors that move.</param>
    /// <param name="kind">Where to open them.</param>
    /// <param name="dropout">Source of dropout masks.</param>
    /// <exception cref="LortaException">LRT570 … LRT578: something has no place in this runtime, or it is not there; LRT615: no room
    /// for temporary files.</exception>
    public OrtTrainingRuntime(TrainingGraphs graphs, OrtTrainingHostKind kind, DropoutMasks? dropout = null)
    {
        (_graphs, _kind, _feeds) = (graphs, kind, new BatchFeeds(dropout));
        _written = OrtTrainingGraphs.Of(graphs, new()
        {
            FeedsWeights = true,
            MakesMasks = true,
            GivesGradients = kind.NeedsGradients,
            Rates = kind.Rates,
        });
        _folder = CreateFolder();
        try
        {
            OrtTrainingArtifacts.Write(_written, graphs, ArtifactsFolder, kind.NeedsEmbeddedWeights);
            _host = kind.Open(ArtifactsFolder);
        }
        catch (Exception)
        {
            _folder.Dispose();   // whoever fails to open does not come to disposing of this
            throw;
        }
    }

    /// <inheritdoc/>
    public long StepCount => _step;

    /// <inheritdoc/>
    /// <remarks>After the first step, without the moments where the host cannot tell them. Setting it also forgets the sum of
    /// gradients.</remarks>
    /// <exception cref="LortaException">LRT582: a state without the moments, with which training would begin anew.</exception>
    public TrainingState State
    {
        get
        {
            var saved = _host.Save();
            var values = saved.Trained.ToDictionary(parameter => parameter.Name, parameter => parameter.Value, StringComparer.Ordinal);
            var tensors = _written.Trained
                .Select(tensor => (tensor.Source.Name, Value: tensor.FromHost(values[tensor.Parameter])))
                .Concat(MomentsOf(saved));
            return new(_step, tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Value, StringComparer.Ordinal));
        }

        set
        {
            var checkpoint = _written.Checkpoint with
            {
                Trained = [.. _written.Trained.Select(
                    tensor => new OrtParameter(tensor.Parameter, tensor.ToHost(value.Tensors[tensor.Source.Name])))],
                Groups = GroupsOf(value),
            };
            checkpoint.Save(Path.Combine(ArtifactsFolder, ArtifactFolder.CheckpointFile));
            var before = _host;
            _host = _kind.Open(ArtifactsFolder);   // where that fails, the one before goes on
            before.Dispose();
            (_step, _microBatch, _hasLearned) = (value.Step, 0, false);
        }
    }

    private string ArtifactsFolder => Path.Combine(_folder.Path, "artifacts");

    /// <inheritdoc/>
    public void ClearGradients()
    {
        _host.ResetGradients();
        (_microBatch, _hasLearned) = (0, false);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> Forward(Batch batch) => new FittedBatch(batch, _graphs.Batches).Forward(run =>
        _written.Eval.Graph.Outputs.Zip(_host.Evaluate(Inputs(_written.Eval, run, weight: 1)))
            .ToDictionary(pair => pair.First.Name, pair => pair.Second, StringComparer.Ordinal));

    /// <inheritdoc/>
    public double Accumulate(Batch batch, double weight) =>
        new FittedBatch(batch, _graphs.Batches).Runs.Sum(run => AccumulateRun(run.Batch, weight * run.Share));

    /// <inheritdoc/>
    public double? Step(double learningRateFactor)
    {
        var rate = _graphs.LearningRate * learningRateFactor;
        if (_kind.Rates is { } rates && rates[(int)_step] != rate)
            throw new InvalidOperationException($"Step {_step + 1} has the learning rate {rate}, but {rates[(int)_step]} was planned.");
        var before = _hasMoved || !_hasLearned ? null : _host.Save();
        _host.Step((float)rate);
        _step++;
        (_microBatch, _hasLearned) = (0, false);
        if (before is not null) CheckMoved(before, (float)rate);
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _host.Dispose();
        _folder.Dispose();
    }

    // A graph whose gradients do not reach the buffers fails in silence. A step that is lost in rounding moves nothing either: AdamW's is
    // about the rate, whatever the gradient; one that is the gradient's may be of any size.
    private void CheckMoved(OrtCheckpoint before, float rate)
    {
        var pairs = before.Trained.Zip(_host.Save().Trained);
        _hasMoved = pairs.Any(pair => !pair.First.Value.Bytes.SequenceEqual(pair.Second.Value.Bytes));
        if (_hasMoved || _graphs.OptimizerState.Count == 0) return;
        var step = rate * LeastShare;
        if (before.Trained.Any(parameter => Array.Exists(parameter.Value.ToFloats(), value => value - step != value)))
            throw OrtHostErrors.NothingMoved();
    }

    private double AccumulateRun(Batch batch, double weight)
    {
        var outputs = _host.Train(Inputs(_written.Train, batch, weight));
        _microBatch++;
        _hasLearned |= weight != 0;
        return weight * outputs[0].ToFloats()[0];
    }

    private List<KeyValuePair<string, OnnxTensor>> Inputs(OnnxModel model, Batch batch, double weight) =>
        [.. _written.BatchInputs(model).Select(input => KeyValuePair.Create(
            input.Name, _feeds.For(input.Name, InputPort.Of(input), (batch, weight), (_step, _microBatch))))];

    private IEnumerable<(string Name, OnnxTensor Value)> MomentsOf(OrtCheckpoint saved)
    {
        var states = saved.Groups.Where(group => group.Name == OrtCheckpoint.Group).SelectMany(group => group.States)
            .ToDictionary(state => state.Parameter, StringComparer.Ordinal);
        foreach (var tensor in _written.Trained)
            foreach (var (moment, kept) in OrtOptimizer.MomentsOf(_graphs.Options))
            {
                if (kept is null) continue;
                var value = states.GetValueOrDefault(tensor.Parameter)?.Moments.FirstOrDefault(stored => stored.Name == moment)?.Value
                    ?? (_step == 0 ? Zeros(tensor.Source.Initial) : null);
                if (value is not null) yield return (kept.Stored(tensor.Source.Name), value);
            }
    }

    // The step goes with the moments: without a group, both begin anew.
    private IReadOnlyList<OrtOptimizerGroup> GroupsOf(TrainingState state)
    {
        if (state.Step == 0) return [];
        var moments = OrtOptimizer.MomentsOf(_graphs.Options);
        var states = _written.Trained.Select(tensor => new OrtParameterState(
            tensor.Parameter,
            [.. moments.Select(moment => new OrtParameter(moment.Moment, Of(tensor.Source, moment.Kept)))]));
        return [new OrtOptimizerGroup(OrtCheckpoint.Group, state.Step, (float)_graphs.LearningRate, [.. states])];

        OnnxTensor Of(TrainedTensor tensor, OptimizerState? kept) => kept is null
            ? Zeros(tensor.Initial)
            : state.Tensors.GetValueOrDefault(kept.Stored(tensor.Name))
                ?? throw OrtHostErrors.NoMoments(state.Step, kept.Stored(tensor.Name));
    }

    private static ScratchFolder CreateFolder()
    {
        try
        {
            return ScratchFolder.Create();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RuntimeErrors.NoScratch(Path.GetFullPath(Path.GetTempPath()), e);
        }
    }

    private static OnnxTensor Zeros(OnnxTensor like) => OnnxTensor.FromBytes(like.Type, [.. like.Dims], new byte[like.ByteCount]);
}
