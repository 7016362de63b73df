using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>What the inputs of a model are fed for rows of tokens.</summary>
internal static class TextFeeds
{
    /// <summary>The tensors that are given, and those that follow from the token ids where they are absent: a mask of ones, token types of
    /// zeros, positions 0, 1, ….</summary>
    public static IReadOnlyDictionary<string, OnnxTensor> Completed(IReadOnlyDictionary<string, OnnxTensor> given)
    {
        if (given.GetValueOrDefault(TextInputs.Ids) is not { Rank: 2 } ids) return given;
        var all = new Dictionary<string, OnnxTensor>(TextInputs.DefaultsFor(ids.Dims[0], ids.Dims[1]), StringComparer.Ordinal);
        foreach (var (name, tensor) in given) all[name] = tensor;
        return all;
    }

    /// <summary>What an input is fed: the given tensor in the input's type; an empty key/value cache where none is given.</summary>
    /// <exception cref="LortaException">LRT415: a number has no place in the type; LRT614: nothing is known of the input.</exception>
    public static OnnxTensor For(string name, NodeMetadata input, IReadOnlyDictionary<string, OnnxTensor> given)
    {
        var type = (ElementType)(int)input.ElementDataType;
        if (given.TryGetValue(name, out var tensor)) return InputTypes.Converted(name, tensor, type);
        return TextInputs.IsCache(type, input.Dimensions.Length) && given.GetValueOrDefault(TextInputs.Ids) is { Rank: 2 } ids
            ? TextInputs.EmptyCache(type, ids.Dims[0], input.Dimensions[1], input.Dimensions[3])
            : throw RuntimeErrors.MissingInput(name);
    }
}
