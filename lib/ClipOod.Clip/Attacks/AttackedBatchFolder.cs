using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// Finished batches of a <see cref="FeatureAttack"/> as safetensors files, each complete or not there, with a fingerprint of all that it
/// depends on.
/// </summary>
internal sealed class AttackedBatchFolder
{
    private const string Fingerprint = "attack";

    private readonly string _folder;
    private readonly string _attack;
    private readonly int _size;

    public AttackedBatchFolder(string folder, ClipModel model, FeatureAttackOptions options)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        _size = model.Config.ImageSize;
        _attack = FormattableString.Invariant(
            $"{model.ModelHash} steps {options.Steps} rate {options.LearningRate:R} smoothness {options.Smoothness:R} seed {options.Seed} projected {options.Projected}");
    }

    /// <summary>The batch that begins at an image, if it was finished before.</summary>
    /// <exception cref="InvalidDataException">It is there but of another attack.</exception>
    public AttackedBatch? Find(int first, ReadOnlyMemory<float> images, ReadOnlyMemory<float> targets)
    {
        string path = PathOf(first);
        if (!File.Exists(path))
        {
            return null;
        }

        using SafetensorsFile file = Safetensors.Open(path);
        if (!file.Metadata.TryGetValue(Fingerprint, out string? found) || found != FingerprintOf(first, images, targets))
        {
            throw new InvalidDataException(
                $"{path}: this is a batch of another attack: the model, the images, their targets or the options differ. Give another folder, or delete the file.");
        }

        return new(
            file["pixels"].ToSingles(), file["features"].ToSingles(), file["cosines_before"].ToDoubles(), file["cosines_after"].ToDoubles(),
            file["cosines_rounded"].ToDoubles(), file["squared_perturbations"].ToDoubles());
    }

    public void Write(int first, ReadOnlyMemory<float> images, ReadOnlyMemory<float> targets, AttackedBatch batch)
    {
        int count = batch.CosinesAfter.Length;
        Safetensors.Write(
            PathOf(first),
            [
                SafetensorsTensor.FromSingles("pixels", [count, 3, _size, _size], batch.Pixels),
                SafetensorsTensor.FromSingles("features", [count, batch.Features.Length / count], batch.Features),
                SafetensorsTensor.FromDoubles("cosines_before", [count], batch.CosinesBefore),
                SafetensorsTensor.FromDoubles("cosines_after", [count], batch.CosinesAfter),
                SafetensorsTensor.FromDoubles("cosines_rounded", [count], batch.CosinesRounded),
                SafetensorsTensor.FromDoubles("squared_perturbations", [count], batch.SquaredPerturbations),
            ],
            new Dictionary<string, string> { [Fingerprint] = FingerprintOf(first, images, targets) });
    }

    private string PathOf(int first) => Path.Combine(_folder, FormattableString.Invariant($"images-from-{first:000000}.safetensors"));

    private string FingerprintOf(int first, ReadOnlyMemory<float> images, ReadOnlyMemory<float> targets)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{_attack} first {first}")));
        hash.AppendData(MemoryMarshal.AsBytes(images.Span));
        hash.AppendData(MemoryMarshal.AsBytes(targets.Span));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
