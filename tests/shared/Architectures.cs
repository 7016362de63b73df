namespace LoRTA.Onnx.Tests.Shared;

/// <summary>A small graph in a model family's own spelling of attention, from <c>tests/fixtures/architectures</c>, and where its projections lie.</summary>
/// <param name="Name">File name without extension.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key/value heads.</param>
/// <param name="HeadWidth">Width of a head.</param>
/// <param name="Projections">Module and columns of q, k, v and p in every layer: <c>c_attn 16-32</c>; null where p is not understood. Empty: nothing is.</param>
internal sealed record ArchitectureCase(string Name, int Heads, int KvHeads, int HeadWidth, params string?[] Projections)
{
    /// <summary>The same of gate, up and down; null where there is no such matrix.</summary>
    public IReadOnlyList<string?> Mlp { get; init; } = [null, "up 0-32", "down 0-16"];

    /// <summary>Words of the finding that tells why something was left alone.</summary>
    public string? Finding { get; init; }

    /// <summary>How many findings there are.</summary>
    public int Findings { get; init; }

    /// <summary>The file.</summary>
    public string Path => System.IO.Path.Combine(Fixtures.Repository, "tests", "fixtures", "architectures", $"{Name}.onnx");

    /// <summary>The name, for test reports.</summary>
    public override string ToString() => Name;
}

/// <summary>The architectures, as their families define them. (Of each, <c>make.py</c> beside the files has the module.)</summary>
internal static class Architectures
{
    private static readonly string[] Interleaved = ["query_key_value 0-4,12-16,24-28,36-40", "query_key_value 4-8,16-20,28-32,40-44", "query_key_value 8-12,20-24,32-36,44-48", "dense 0-16"];
    private static readonly string[] BertNames = ["query 0-16", "key 0-16", "value 0-16", "dense 0-16"];
    private static readonly string[] DebertaNames = ["query_proj 0-16", "key_proj 0-16", "value_proj 0-16", "dense 0-16"];
    private static readonly string[] OptNames = ["q_proj 0-16", "k_proj 0-16", "v_proj 0-16", "out_proj 0-16"];
    private static readonly string[] LlamaNames = ["q_proj 0-16", "k_proj 0-8", "v_proj 0-8", "o_proj 0-16"];

    private static readonly string[] OneKeyHead = ["fused 0-16", "fused 16-20", "fused 20-24", "attn_out 0-16"];
    private static readonly string?[] NoMlp = [null, null, null];
    private static readonly string?[] GatedNames = ["gate_proj 0-24", "up_proj 0-24", "down_proj 0-16"];
    private static readonly string?[] PackedNames = ["gate_up_proj 0-24", "gate_up_proj 24-48", "down_proj 0-16"];
    private static readonly string?[] PlainNames = [null, "fc1 0-24", "fc2 0-16"];

    public static IReadOnlyList<ArchitectureCase> All { get; } =
    [
        new("albert", 4, 4, 4, BertNames),
        new("bart", 4, 4, 4, OptNames) { Mlp = NoMlp, Finding = "cross-attention", Findings = 2 },
        new("bert", 4, 4, 4, BertNames),
        new("bert-relative-key", 4, 4, 4, BertNames),
        new("bloom", 4, 4, 4, Interleaved),
        new("codegen", 4, 4, 4, "qkv_proj 0-8,24-32", "qkv_proj 16-24,40-48", "qkv_proj 8-16,32-40", "out_proj 0-16"),
        new("convbert", 4, 4, 4, "query 0-16", "key 0-16", "value 0-16", null) { Finding = "layers.0.p: the walk from attention to its linear layer stops here at Reshape (after: move axes, merge heads; Concat", Findings = 2 },
        new("deberta", 4, 4, 4, DebertaNames) { Finding = "the weight of layers.0.q is applied here to something else too", Findings = 4 },
        new("deberta-separate", 4, 4, 4, DebertaNames),
        new("deepseek", 0, 0, 0) { Finding = "latent attention", Findings = 2 },
        new("distilbert", 4, 4, 4, "q_lin 0-16", "k_lin 0-16", "v_lin 0-16", "out_lin 0-16"),
        new("einsum", 4, 4, 4, BertNames),
        new("falcon", 4, 1, 4, "query_key_value 0-16", "query_key_value 16-20", "query_key_value 20-24", "dense 0-16"),
        new("falcon-groups", 4, 2, 4, "query_key_value 0-8,16-24", "query_key_value 8-12,24-28", "query_key_value 12-16,28-32", "dense 0-16"),
        new("gemma", 4, 1, 8, "q_proj 0-32", "k_proj 0-8", "v_proj 0-8", "o_proj 0-16"),
        new("gemma2", 4, 2, 8, "q_proj 0-32", "k_proj 0-16", "v_proj 0-16", "o_proj 0-16"),
        new("gemma3", 4, 1, 8, "q_proj 0-32", "k_proj 0-8", "v_proj 0-8", "o_proj 0-16"),
        new("glm", 4, 2, 4, "query_key_value 0-16", "query_key_value 16-24", "query_key_value 24-32", "dense 0-16"),
        new("gpt-bigcode", 4, 1, 4, "c_attn 0-16", "c_attn 16-20", "c_attn 20-24", "c_proj 0-16"),
        new("gpt-neox", 4, 4, 4, Interleaved),
        new("gpt-neox-baddbmm", 4, 4, 4, Interleaved),
        new("gpt-neox-sliced", 4, 4, 4, Interleaved),
        new("gpt-oss", 4, 2, 4, LlamaNames),
        new("gpt2", 4, 4, 4, "c_attn 0-16", "c_attn 16-32", "c_attn 32-48", "c_proj 0-16"),
        new("gptj", 4, 4, 4, OptNames),
        new("grouped-queries", 4, 2, 4, LlamaNames),
        new("head-bias", 4, 4, 4, BertNames),
        new("llama4", 4, 2, 4, LlamaNames),
        new("modernbert", 4, 4, 4, "Wqkv 0-16", "Wqkv 16-32", "Wqkv 32-48", "Wo 0-16"),
        new("mpt", 4, 4, 4, "Wqkv 0-16", "Wqkv 16-32", "Wqkv 32-48", "out_proj 0-16"),
        new("olmo", 4, 4, 4, "q_proj 0-16", "k_proj 0-16", "v_proj 0-16", "o_proj 0-16"),
        new("olmo2", 4, 2, 4, LlamaNames),
        new("opt", 4, 4, 4, OptNames),
        new("persimmon", 4, 4, 4, Interleaved),
        new("phi", 4, 4, 4, "q_proj 0-16", "k_proj 0-16", "v_proj 0-16", "o_proj 0-16"),
        new("phi3", 4, 2, 4, "qkv_proj 0-16", "qkv_proj 16-24", "qkv_proj 24-32", "o_proj 0-16"),
        new("qwen2", 4, 2, 4, LlamaNames),
        new("qwen3", 4, 2, 8, "q_proj 0-32", "k_proj 0-16", "v_proj 0-16", "o_proj 0-16"),
        new("qwen3-next", 4, 2, 4, "q_proj 0-4,8-12,16-20,24-28", "k_proj 0-8", "v_proj 0-8", "o_proj 0-16"),
        new("roformer", 4, 4, 4, BertNames),
        new("smollm3", 4, 2, 4, LlamaNames),
        new("t5-encoder", 4, 4, 6, "q 0-24", "k 0-24", "v 0-24", "o 0-16"),
        new("torch-multihead", 4, 4, 4, "self_attn 0-16", "self_attn 16-32", "self_attn 32-48", "self_attn 0-16"),
        new("xlnet", 0, 0, 0) { Finding = "layers.0.q: the walk from attention to its linear layer stops here at Einsum", Findings = 8 },
        new("mlp-bert", 4, 4, 4, BertNames) { Mlp = PlainNames },
        new("mlp-bilinear", 4, 2, 4, LlamaNames) { Mlp = NoMlp, Finding = "layers.0: its MLP is not understood: no activation follows exactly one of its first two linear layers", Findings = 2 },
        new("mlp-deepnorm", 4, 4, 4, BertNames) { Mlp = PackedNames },
        new("mlp-experts", 4, 2, 4, LlamaNames) { Mlp = NoMlp, Finding = "layers.0: its MLP is a mixture of experts (TopK", Findings = 2 },
        new("mlp-experts-batched", 4, 2, 4, LlamaNames) { Mlp = NoMlp, Finding = "layers.0: its MLP is a mixture of experts (MatMul", Findings = 2 },
        new("mlp-experts-shared", 4, 2, 4, LlamaNames) { Mlp = NoMlp, Finding = "layers.0: its MLP is a mixture of experts (TopK", Findings = 2 },
        new("mlp-falcon", 4, 2, 4, "query_key_value 0-8,16-24", "query_key_value 8-12,24-28", "query_key_value 12-16,28-32", "dense 0-16") { Mlp = PlainNames },
        new("mlp-gemma2", 4, 2, 4, LlamaNames) { Mlp = GatedNames },
        new("mlp-gpt2", 4, 4, 4, "c_attn 0-16", "c_attn 16-32", "c_attn 32-48", "c_proj 0-16") { Mlp = [null, "c_fc 0-24", "c_proj 0-16"] },
        new("mlp-granite", 4, 2, 4, LlamaNames) { Mlp = GatedNames },
        new("mlp-heads", 4, 2, 4, LlamaNames) { Mlp = PackedNames },
        new("mlp-interleaved", 4, 2, 4, LlamaNames) { Mlp = [$"gate_up_proj {EverySecond(0)}", $"gate_up_proj {EverySecond(1)}", "down_proj 0-16"] },
        new("mlp-layer-scale", 4, 4, 4, BertNames) { Mlp = PlainNames },
        new("mlp-llama", 4, 2, 4, LlamaNames) { Mlp = GatedNames },
        new("mlp-macaron", 4, 4, 4, BertNames) { Mlp = PlainNames, Finding = "a further MLP, or something like it, follows that of layer 0", Findings = 1 },
        new("mlp-modernbert", 4, 4, 4, "Wqkv 0-16", "Wqkv 16-32", "Wqkv 32-48", "Wo 0-16") { Mlp = ["Wi 0-24", "Wi 24-48", "Wo 0-16"] },
        new("mlp-narrow", 4, 4, 4, BertNames) { Mlp = NoMlp, Finding = "layers.0: its MLP is not understood: its first linear layer takes 4 features of a model width of 16", Findings = 2 },
        new("mlp-neox", 4, 4, 4, Interleaved) { Mlp = PlainNames },
        new("mlp-normed", 4, 4, 4, BertNames) { Mlp = PlainNames },
        new("mlp-opt", 4, 4, 4, OptNames) { Mlp = PlainNames },
        new("mlp-palm", 4, 1, 4, OneKeyHead) { Mlp = ["fused 48-72", "fused 24-48", "ff_out 0-16"] },
        new("mlp-parallel-first", 4, 2, 4, LlamaNames) { Mlp = GatedNames },
        new("mlp-parallel-gated", 4, 2, 4, LlamaNames) { Mlp = GatedNames },
        new("mlp-parallel-packed", 4, 2, 4, "qkv_proj 0-16", "qkv_proj 16-24", "qkv_proj 24-32", "o_proj 0-16") { Mlp = PackedNames },
        new("mlp-phi3", 4, 2, 4, "qkv_proj 0-16", "qkv_proj 16-24", "qkv_proj 24-32", "o_proj 0-16") { Mlp = PackedNames },
        new("mlp-second", 4, 2, 4, LlamaNames) { Mlp = ["gate_up_proj 24-48", "gate_up_proj 0-24", "down_proj 0-16"] },
        new("mlp-squared", 4, 2, 4, LlamaNames) { Mlp = PlainNames },
        new("mlp-t5", 4, 4, 4, OptNames) { Mlp = ["wi_gate 0-24", "wi_linear 0-24", "wo 0-16"], Finding = "cross-attention", Findings = 2 },
    ];

    // Of 24 pairs of features one each.
    private static string EverySecond(int first) => string.Join(',', Enumerable.Range(0, 24).Select(i => $"{(2 * i) + first}-{(2 * i) + first + 1}"));
}
