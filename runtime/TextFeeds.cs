using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
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
    public static OnnxTensor For(string name, NodeMetadata input, IReadOnlyDictionary<string, OnnxTensor> given) =>
        For(name, InputPort.Of(input), given);

    /// <inheritdoc cref="For(string, NodeMetadata, IReadOnlyDictionary{string, OnnxTensor})"/>
    public static OnnxTensor For(string name, InputPort input, IReadOnlyDictionary<string, OnnxTensor> given)
    {
        if (given.TryGetValue(name, out var tensor)) return InputTypes.Converted(name, tensor, input.Type);
        return TextInputs.IsCache(input.Type, input.Dimensions.Length) && given.GetValueOrDefault(TextInputs.Ids) is { Rank: 2 } ids
            ? TextInputs.EmptyCache(input.Type, ids.Dims[0], input.Dimensions[1], input.Dimensions[3])
            : throw RuntimeErrors.MissingInput(name);
    }
}

/// <summary>What an input takes.</summary>
/// <param name="Type">Type of its elements.</param>
/// <param name="Dimensions">Its dimensions; −1 = any.</param>
internal sealed record InputPort(ElementType Type, int[] Dimensions)
{
    /// <summary>An input of a session.</summary>
    public static InputPort Of(NodeMetadata input) => new((ElementType)(int)input.ElementDataType, input.Dimensions);

    /// <summary>An input of a graph.</summary>
    public static InputPort Of(Value input) => new(input.Type, [.. input.Shape!.Select(dim => (int)(dim.Value ?? -1))]);
}
