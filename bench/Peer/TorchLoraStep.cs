using LoRTA.Onnx.Bench.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LoRTA.Onnx.Bench.Peer;

/// <summary>LoRA on q and v of the frozen encoder in eager PyTorch (TorchSharp), fp32: forward, backward, AdamW over the factors.</summary>
internal sealed class TorchLoraStep : IStepVariant
{
    public const string VariantName = "peer";

    private readonly RobertaShape _shape;
    private readonly List<Parameter> _factors = [];
    private readonly Tensor _words;
    private readonly Tensor _positions;
    private readonly Norm _embeddingNorm;
    private readonly Layer[] _layers;
    private readonly Affine _pooler;
    private readonly Affine _classifier;
    private readonly Tensor _tokens;
    private readonly Tensor _targets;
    private readonly optim.Optimizer _optimizer;

    public TorchLoraStep(RobertaShape shape)
    {
        set_num_threads(Environment.ProcessorCount);
        _shape = shape;
        _words = Frozen("words", shape.Vocabulary, shape.Hidden);
        _positions = Frozen("positions", shape.Length, shape.Hidden);
        _embeddingNorm = NewNorm();
        _layers = [.. Enumerable.Range(0, shape.Layers).Select(NewLayer)];
        _pooler = NewAffine("pooler", shape.Hidden, shape.Hidden);
        _classifier = NewAffine("classifier", shape.Labels, shape.Hidden);
        _tokens = tensor(shape.Tokens(), shape.Batch, shape.Length);
        _targets = tensor(shape.Targets());
        _optimizer = optim.AdamW(_factors, lr: 5e-4);
    }

    public string Name => VariantName;

    public float Step()
    {
        using var scope = NewDisposeScope();
        _optimizer.zero_grad();
        var loss = functional.cross_entropy(Logits(), _targets);
        loss.backward();
        _optimizer.step();
        return loss.item<float>();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _words.Dispose();   // tensors inside the records fall to the collector
        _positions.Dispose();
        _tokens.Dispose();
        _targets.Dispose();
    }

    private Tensor Logits()
    {
        var x = _embeddingNorm.Of(_words[_tokens] + _positions);
        foreach (var layer in _layers) x = Block(layer, x);
        return _classifier.Of(_pooler.Of(x.select(1, 0)).tanh());
    }

    private Tensor Block(Layer layer, Tensor x)
    {
        var attended = functional.scaled_dot_product_attention(Split(layer.Q.Of(x)), Split(layer.K.Of(x)), Split(layer.V.Of(x)));
        var h = layer.AttentionNorm.Of(layer.Out.Of(attended.transpose(1, 2).reshape(x.shape)) + x);
        return layer.FfnNorm.Of(layer.Down.Of(functional.gelu(layer.Up.Of(h))) + h);
    }

    private Tensor Split(Tensor x) => x.view(_shape.Batch, _shape.Length, _shape.Heads, _shape.HeadSize).transpose(1, 2);

    private Layer NewLayer(int index)
    {
        var (d, name) = (_shape.Hidden, $"layers.{index}.");
        return new Layer(
            NewLora(name + "q"), NewAffine(name + "k", d, d), NewLora(name + "v"), NewAffine(name + "out", d, d),
            NewNorm(), NewAffine(name + "up", _shape.Ffn, d), NewAffine(name + "down", d, _shape.Ffn), NewNorm());
    }

    private LoraAffine NewLora(string name)
    {
        var (d, r) = (_shape.Hidden, _shape.Rank);
        return new LoraAffine(NewAffine(name, d, d), Factor(Frozen(name + ".a", r, d)), Factor(zeros(d, r)), _shape.LoraScale);
    }

    private Affine NewAffine(string name, int outputs, int inputs) => new(Frozen(name, outputs, inputs), zeros(outputs));

    private Norm NewNorm() => new(ones(_shape.Hidden), zeros(_shape.Hidden));

    private Parameter Factor(Tensor start)
    {
        var factor = Parameter(start);
        _factors.Add(factor);
        return factor;
    }

    private static Tensor Frozen(string name, int rows, int columns) => tensor(RobertaShape.Normal(name, rows * columns), rows, columns);

    private sealed record Affine(Tensor Weight, Tensor Bias)
    {
        public Tensor Of(Tensor x) => functional.linear(x, Weight, Bias);
    }

    private sealed record LoraAffine(Affine Base, Tensor A, Tensor B, float Scale)
    {
        public Tensor Of(Tensor x) => Base.Of(x).add(functional.linear(functional.linear(x, A), B), alpha: Scale);
    }

    private sealed record Norm(Tensor Weight, Tensor Bias)
    {
        public Tensor Of(Tensor x) => functional.layer_norm(x, Weight.shape, Weight, Bias, 1e-5);
    }

    private sealed record Layer(LoraAffine Q, Affine K, LoraAffine V, Affine Out, Norm AttentionNorm, Affine Up, Affine Down, Norm FfnNorm);
}
