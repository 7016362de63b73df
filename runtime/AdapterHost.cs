using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.Runtime;

/// <summary>One open model that serves many adapters of one shape: the adapters' numbers are inputs of its graph, so adding, removing and
/// choosing one opens no session.</summary>
/// <remarks>Any thread may use it. Runs that are under way end as they began when their adapter is removed or the host is
/// closed.</remarks>
public sealed class AdapterHost : IDisposable
{
    private readonly OrtEngine _engine;
    private readonly UnderstoodModel _model;
    private readonly AdapterPlan _plan;
    private readonly Lock _checking = new();
    private readonly Lock _changing = new();
    private readonly RefCounted<OpenModel> _open;
    private readonly RefCounted<AdapterInputs> _base;
    private readonly SortedDictionary<string, RefCounted<AdapterInputs>> _adapters = new(StringComparer.Ordinal);

    /// <summary>Opens a model.</summary>
    /// <param name="engine">Device, threads and catalog.</param>
    /// <param name="model">The model, as it is deployed, in any storage.</param>
    /// <param name="shape">What its adapters have in common: method, rank, targets, layers, options. Their α is their own. For a stored
    /// adapter it is <see cref="AdapterConfig.AdapterOptions"/>.</param>
    /// <exception cref="LortaException">LRT2xx, LRT3xx: the model is not understood, or such adapters do not fit it or are no side
    /// branches; LRT612: ONNX Runtime cannot load it.</exception>
    public AdapterHost(OrtEngine engine, OnnxModel model, AdapterOptions shape)
    {
        engine.ThrowIfDisposed();
        (_engine, _model) = (engine, UnderstoodModel.Of(model));
        _plan = AdapterPlan.Of(_model, shape with { Dropout = 0 }, engine.Catalog);
        var neutral = TensorsOf(_plan, scale: 0, factor => factor.Draw(seed: 0, _model.WeightOf));
        _open = new(() => new OpenModel(DeployedInjection.WithRequiredInputs(_model, _plan), engine.Options));
        try
        {
            _base = new(() => new AdapterInputs(engine.Options, neutral));
        }
        catch (Exception)
        {
            _open.Close();
            throw;
        }
    }

    /// <summary>The model.</summary>
    public OnnxModel Model => _model.Deployed;

    /// <summary>The names of its adapters, in alphabetical order.</summary>
    public IReadOnlyCollection<string> Names
    {
        get
        {
            lock (_changing) return [.. _adapters.Keys];
        }
    }

    internal OrtEngine Engine => _engine;

    /// <summary>Adds an adapter. Its numbers are copied.</summary>
    /// <param name="name">What runs call it.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="allowOtherBase">Accept other weights than those that the adapter was trained on.</param>
    /// <exception cref="LortaException">LRT308, LRT309, LRT313: a damaged adapter; LRT310, LRT311: one of another model; LRT322: one that
    /// trains parameters of the model itself; LRT616: one of another shape; LRT617: there is one of that name.</exception>
    /// <exception cref="ObjectDisposedException">The host was closed.</exception>
    public void Add(string name, Adapter adapter, bool allowOtherBase = false)
    {
        CheckFree(name);
        var inputs = new RefCounted<AdapterInputs>(() => InputsOf(name, adapter, allowOtherBase));
        try
        {
            lock (_changing)
            {
                CheckFree(name);   // nobody took it meanwhile
                _adapters.Add(name, inputs);
            }
        }
        catch (Exception)
        {
            inputs.Close();
            throw;
        }
    }

    /// <summary>Removes an adapter; what runs with it ends as it began.</summary>
    /// <returns>Whether there was one of that name.</returns>
    /// <exception cref="ObjectDisposedException">The host was closed.</exception>
    public bool Remove(string name)
    {
        lock (_changing)
        {
            ObjectDisposedException.ThrowIf(_open.IsClosed, this);
            if (!_adapters.Remove(name, out var inputs)) return false;
            inputs.Close();
            return true;
        }
    }

    /// <summary>Runs the model with one of the adapters.</summary>
    /// <param name="adapter">Its name; null = the model without any, whose result is that of its file.</param>
    /// <param name="inputs">Tensors by input of the model. Where a model of text has such inputs and they are absent, a mask of ones,
    /// token types of zeros, positions 0, 1, … and an empty key/value cache are added.</param>
    /// <param name="stop">Ends the run early.</param>
    /// <returns>The model's outputs by name.</returns>
    /// <exception cref="LortaException">LRT613: the run fails; LRT614: an input is missing; LRT618: there is no such adapter.</exception>
    /// <exception cref="ObjectDisposedException">The host was closed.</exception>
    /// <exception cref="OperationCanceledException">The run was ended.</exception>
    public IReadOnlyDictionary<string, OnnxTensor> Run(
        string? adapter, IReadOnlyDictionary<string, OnnxTensor> inputs, CancellationToken stop = default)
    {
        stop.ThrowIfCancellationRequested();
        using var asked = StopRequest.Under(stop.CanBeCanceled ? stop : StopRequest.Token);
        using var lease = Lease(adapter);
        using var run = lease.Model.Begin();
        lease.Adapter!.Bind(run);
        var feeds = TextFeeds.Completed(inputs);
        foreach (var (name, input) in lease.Model.Session.InputMetadata)
            if (!lease.Adapter.Has(name)) run.Bind(name, TextFeeds.For(name, input, feeds));
        return run.Evaluate(lease.Model.Name);
    }

    /// <summary>Closes the host; what is running ends as it began.</summary>
    public void Dispose()
    {
        lock (_changing)
        {
            foreach (var adapter in _adapters.Values) adapter.Close();
            _adapters.Clear();
            _base.Close();
            _open.Close();
        }
    }

    /// <summary>The model with one of the adapters, to be run several times.</summary>
    /// <exception cref="LortaException">LRT618: there is no such adapter.</exception>
    internal AdapterLease Lease(string? adapter)
    {
        lock (_changing)
        {
            ObjectDisposedException.ThrowIf(_open.IsClosed, this);
            var inputs = adapter is null ? _base
                : _adapters.GetValueOrDefault(adapter) ?? throw RuntimeErrors.UnknownAdapter(adapter, _adapters.Keys);
            _open.TryAcquire();   // nothing that is found here is closed
            inputs.TryAcquire();
            return new AdapterLease(_open, inputs);
        }
    }

    private void CheckFree(string name)
    {
        lock (_changing)
        {
            ObjectDisposedException.ThrowIf(_open.IsClosed, this);
            if (_adapters.ContainsKey(name)) throw RuntimeErrors.AdapterNameTaken(name);
        }
    }

    private AdapterInputs InputsOf(string name, Adapter adapter, bool allowOtherBase)
    {
        if (adapter.Config.Trainables is [var parameter, ..]) throw AdapterErrors.TrainedParameters(adapter.Path, parameter);
        AdapterPlan plan;
        lock (_checking) plan = BaseModels.PlanOf(_model, adapter, allowOtherBase, _engine.Catalog);
        if (AdapterShape.Difference(_plan, plan, _engine.Catalog) is { } difference) throw RuntimeErrors.OtherShape(name, difference);
        var factors = adapter.FactorsOf(plan);
        return new AdapterInputs(_engine.Options, TensorsOf(plan, plan.Family.Scale, factor => factors[factor.Name]));
    }

    private static Dictionary<string, OnnxTensor> TensorsOf(AdapterPlan plan, double scale, Func<Factor, OnnxTensor> valueOf)
    {
        var tensors = plan.Factors.ToDictionary(
            factor => new TensorName(TensorKind.Factor, factor.Name).ToString(), valueOf, StringComparer.Ordinal);
        tensors[TrainingNames.Scale] = OnnxTensor.Scalar((float)scale);
        return tensors;
    }
}
