using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>The model of a world whose weights are on this machine, loaded when somebody needs it.</summary>
internal sealed class LocalEncoder : WorldEncoder
{
    private readonly string _model;
    private readonly string _precision;
    private readonly Lazy<ClipModel> _loaded;
    private readonly Lazy<ClipNoTextTower?> _noText;

    /// <param name="model">A name of the catalogue, or a path.</param>
    /// <param name="modelHash">The hash of the model that made the world's features.</param>
    /// <param name="precision">In what numbers it made them.</param>
    public LocalEncoder(string model, string modelHash, string precision)
    {
        (_model, _precision) = (model, precision);
        _loaded = new(() =>
        {
            ClipModel loaded = LoadModel();
            return loaded.ModelHash == modelHash ? loaded : throw new InvalidDataException(
                $"The weights of {model} are of the model {loaded.ModelHash[..12]}, the features of this world of {modelHash[..12]}: encode anew, or fetch the weights that made them.");
        });
        _noText = new(() => SourceCatalog.Find(model) is { } entry && model.StartsWith("clipn-", StringComparison.Ordinal)
            ? ClipNoTextTower.Load(Model, LocalModels.WeightsOf(entry))
            : null);
    }

    /// <inheritdoc/>
    public override ClipModel Model => _loaded.Value;

    /// <summary>The released "no" text tower, in the world of a checkpoint of CLIPN; null in others.</summary>
    public override ClipNoTextTower? NoText => _noText.Value;

    /// <inheritdoc/>
    public override string DefaultPrompt => PromptTemplates.Clip[0];

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">This processor cannot encode as the one that made the world's features.</exception>
    public override ClipModel LoadModel()
    {
        ClipModel model = LocalModels.Load(_model);
        model.Precision = _precision == ClipPrecision.Single.Name() ? ClipPrecision.Single : ClipPrecision.Int8;
        return model.PrecisionName == _precision ? model : throw new InvalidDataException(
            $"The features of this world were encoded in {_precision}, and this processor encodes in {model.PrecisionName}: encode them anew here, or use a machine of the same kind.");
    }
}
