// Lets Grafana's own library transform and write a panel's answers.
//
// stdin: {"panel": ..., "frames": [{"refId", "fields": [{"name", "type", "values"}]}]}
// stdout: [{"names": [...], "rows": [[{"text", "color"}, ...], ...]}], one for each frame that is left
global.navigator = { languages: ["en"], language: "en" };
const nothing = () => {};
global.window = {
  location: {},
  navigator: global.navigator,
  localStorage: { getItem: nothing },
  matchMedia: () => ({ matches: false, addListener: nothing }),
};
const grafana = require("@grafana/data");

const { mergeTransformer, organizeFieldsTransformer } = grafana.standardTransformers;
grafana.standardTransformersRegistry.setInit(() =>
  [mergeTransformer, organizeFieldsTransformer].map((one) => ({
    id: one.id,
    name: one.name,
    transformation: one,
  })),
);

const { panel, frames } = JSON.parse(require("fs").readFileSync(0));
const theme = grafana.createTheme();

function written(field, frame, frames, value) {
  const name = grafana.getFieldDisplayName(field, frame, frames);
  const config = { ...panel.fieldConfig.defaults };
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    const fits = grafana.getFieldMatcher(matcher)(field, frame, frames);
    if (fits) for (const { id, value } of properties) config[id] = value;
  }
  const display = grafana.getDisplayProcessor({ field: { ...field, name, config }, theme });
  const shown = display(value);
  return { text: grafana.formattedValueToString(shown), color: shown.color ?? "" };
}

const made = frames.map((frame) => grafana.toDataFrame(frame));
grafana.transformDataFrame(panel.transformations ?? [], made).subscribe((left) => {
  const pages = left.map((frame) => ({
    names: frame.fields.map((field) => grafana.getFieldDisplayName(field, frame, left)),
    rows: Array.from({ length: frame.length }, (_, row) =>
      frame.fields.map((field) => written(field, frame, left, field.values[row])),
    ),
  }));
  process.stdout.write(JSON.stringify(pages));
});
