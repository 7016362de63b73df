namespace LoRTA.Onnx.Cli.Display;

/// <summary>Shows a text while it comes about.</summary>
internal sealed class TextDisplay(TextWriter output) : IProgress<string>
{
    public void Report(string value)
    {
        output.Write(value);
        output.Flush();
    }
}
