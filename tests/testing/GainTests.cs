using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Testing.Tests;

/// <summary>A user's family passes: all that its author writes.</summary>
internal sealed class GainTests() : AdapterFamilyTests(Gain.Entry);
