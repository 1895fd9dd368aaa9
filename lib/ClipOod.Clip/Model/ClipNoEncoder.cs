using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>Texts through a "no" tower as it is now, in the batches and with the messages of other encoders.</summary>
internal sealed class ClipNoEncoder : ClipEncoder
{
    private readonly ClipNoTextTower _tower;
    private readonly Evaluator _session;
    private readonly float[][] _mixtures;

    public ClipNoEncoder(ClipModel model, ClipNoTextTower tower, ClipnPromptAveraging averaging)
        : base(model.ImageProcessor, model.Tokenizer, model.Width, model.ContextLength, model.VocabularySize)
    {
        _tower = tower;
        ModelHash = ComputeHash(model, tower);
        _session = new Evaluator([tower.Features], constantWeights: true);
        int prompts = (int)tower.Prompts.Shape[0].Size;
        float[] mean = new float[prompts];
        Array.Fill(mean, 1f / prompts);
        _mixtures = averaging == ClipnPromptAveraging.BeforeEncoder
            ? [mean]
            : [.. Enumerable.Range(0, prompts).Select(i => Enumerable.Range(0, prompts).Select(j => i == j ? 1f : 0f).ToArray())];
    }

    public override string ModelHash { get; }

    public override void Dispose() => _session.Dispose();

    private protected override float[] EncodePixels(Memory<float> pixels, int count) =>
        throw new NotSupportedException("A \"no\" tower reads texts only: encode images with the model.");

    private protected override float[] EncodeIds(long[] ids, int count, int length)
    {
        float[] mean = new float[count * Width];
        foreach (float[] mixture in _mixtures)
        {
            float[] features = _session.Run((_tower.Texts.Name, TensorValue.Of(ids, count, length)), (_tower.Weights.Name, mixture))[0].Values<float>();
            TensorPrimitives.MultiplyAdd(features, 1f / _mixtures.Length, mean, mean);
        }

        return mean;
    }

    private static string ComputeHash(ClipModel model, ClipNoTextTower tower)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(model.ModelHash));
        foreach (Weight weight in tower.Tower.Weights.Values.Append(tower.Prompts))
        {
            hash.AppendData(MemoryMarshal.AsBytes(weight.Value.Values<float>()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
