using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Tells models from other files without reading them.</summary>
internal static class OnnxFile
{
    /// <summary>Whether a file is an ONNX model, or empty. Only the outermost fields are looked at: each must be one of a model's, they
    /// must fill the file, and one must be a graph.</summary>
    public static bool IsModel(string path)
    {
        var file = MappedFile.Open(path);
        if (file.Length == 0) return true;
        try
        {
            return LazyTensors.HasModelFields(file);
        }
        catch (LortaException)
        {
            return false;   // no fields of a protobuf message
        }
    }
}
