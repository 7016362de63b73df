using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.GraphGen.Tests.Parameters;

public sealed class ModuleScopeTests
{
    [TestCase("/roberta/encoder/layer.0/attention/self/query/MatMul", "roberta.encoder.layer.0.attention.self.query")]
    [TestCase("/lm_head/Add_1", "lm_head")]
    [TestCase("/MatMul_3", null)]
    [TestCase("node_MatMul_16", null)]
    [TestCase("", null)]
    public void TorchScript_writes_modules_into_node_names(string node, string? module) => Assert.That(ModuleScope.Of(Named(node)), Is.EqualTo(module));

    [TestCase("['', 'esm', 'esm.encoder.layer.0.attention.self.query', 'linear']", "esm.encoder.layer.0.attention.self.query")]
    [TestCase("['', 'add_3']", null)]
    [TestCase("[]", null)]
    public void Dynamo_writes_modules_into_notes(string scopes, string? module)
    {
        var node = Named("node_MatMul_16");
        node.Metadata["pkg.torch.onnx.name_scopes"] = scopes;

        Assert.That(ModuleScope.Of(node), Is.EqualTo(module));
    }

    [TestCase("model.layers.3.attn.q_proj", "model.layers.3.self_attn.q_proj")]
    [TestCase("model.layers.4.final_norm_layernorm.weight", "model.norm.weight")]
    [TestCase("model.layers.3.attn.Wqkv", "model.layers.3.attn.Wqkv")]
    [TestCase("transformer.h.0.attn.c_attn", "transformer.h.0.attn.c_attn")]
    public void Only_words_of_the_GenAI_builder_are_translated(string path, string expected) => Assert.That(ModuleScope.PyTorch(path), Is.EqualTo(expected));

    [TestCase("bert.pooler.dense.weight", true)]
    [TestCase("onnx::MatMul_581", false)]
    [TestCase("lm_head.MatMul.weight", false)]
    [TestCase("esm.encoder.layer.0.attention.self.rotary_embeddings.inv_freq", false)]
    public void A_parameter_is_a_weight_or_bias_of_a_module(string name, bool expected) => Assert.That(ModuleScope.IsParameter(name), Is.EqualTo(expected));

    private static Node Named(string name) => new("MatMul", string.Empty, [], []) { Name = name };
}
