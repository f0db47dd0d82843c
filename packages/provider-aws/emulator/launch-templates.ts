import { z } from "zod";
import {
  type ActionTable,
  action,
  type Call,
  filled,
  filters,
  list,
  paging,
  tagSpecifications,
  text,
} from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { type FilterTable, filtered } from "./filters.ts";
import { time } from "./instance-view.ts";
import { type LaunchRequest, type MachineRequest, machineRequest, type TemplateReference } from "./launch-request.ts";
import { paged } from "./paging.ts";
import { checkSpecifications, tagSet, tagsFor } from "./tagging.ts";
import type { LaunchTemplate } from "./things.ts";
import { Timeline } from "./timeline.ts";
import { withToken } from "./tokens.ts";
import { allAt, newId, type Region } from "./world.ts";

const create = z.strictObject({
  LaunchTemplateName: z.string().regex(/^[a-zA-Z0-9().\-/_]{3,128}$/),
  LaunchTemplateData: machineRequest,
  VersionDescription: text.optional(),
  ClientToken: text.optional(),
  TagSpecification: tagSpecifications.optional(),
});
const remove = z.strictObject({ LaunchTemplateId: filled.optional(), LaunchTemplateName: filled.optional() });
const describe = z.strictObject({
  LaunchTemplateId: list(filled).optional(),
  LaunchTemplateName: list(filled).optional(),
  Filter: filters.optional(),
  ...paging,
});

const FILTERS: FilterTable<LaunchTemplate> = {
  "launch-template-name": ({ name }) => [name],
  "create-time": ({ createdAt }) => [time(createdAt)],
};

export const launchTemplateActions: ActionTable = {
  CreateLaunchTemplate: action(create, (call, request) => {
    const { region, now, world } = call;
    checkSpecifications(request.TagSpecification, ["launch-template"]);
    const { ids } = withToken(call, "CreateLaunchTemplate", request.ClientToken, () => {
      if (byName(region, request.LaunchTemplateName, now) !== undefined) {
        refuse(
          "InvalidLaunchTemplateName.AlreadyExistsException",
          `Launch template name already in use: ${request.LaunchTemplateName}`,
        );
      }
      const id = newId(world, "lt");
      const tags = tagsFor("launch-template", request.TagSpecification);
      const data = request.LaunchTemplateData;
      const template = { id, name: request.LaunchTemplateName, createdAt: now, data, tags };
      region.templates.set(id, new Timeline<LaunchTemplate>(now, template));
      world.changes += 1;
      return [id];
    });
    return { launchTemplate: templateFields(reference(call, { LaunchTemplateId: ids[0] }), world.settings.account) };
  }),
  DescribeLaunchTemplates: action(describe, ({ region, world, seenAt }, request) => {
    const all = allAt(region.templates, seenAt);
    for (const id of request.LaunchTemplateId ?? []) {
      if (!all.some((one) => one.id === id)) missingId(id);
    }
    for (const name of request.LaunchTemplateName ?? []) {
      if (!all.some((one) => one.name === name)) missingName();
    }
    const named = all.filter(
      ({ id, name }) =>
        request.LaunchTemplateId?.includes(id) !== false && request.LaunchTemplateName?.includes(name) !== false,
    );
    const { items, nextToken } = paged("DescribeLaunchTemplates", filtered(named, request.Filter, FILTERS), request, 1);
    return { launchTemplates: items.map((one) => templateFields(one, world.settings.account)), nextToken };
  }),
  DeleteLaunchTemplate: action(remove, (call, request) => {
    const template = reference(call, request);
    call.region.templates.get(template.id)?.turn(call.now, { inMs: 0, patch: () => null });
    call.world.changes += 1;
    return { launchTemplate: templateFields(template, call.world.settings.account) };
  }),
};

function templateFields({ id, name, createdAt, tags }: LaunchTemplate, account: string): XmlFields {
  return {
    launchTemplateId: id,
    launchTemplateName: name,
    createTime: time(createdAt),
    createdBy: `arn:aws:iam::${account}:root`,
    defaultVersionNumber: 1,
    latestVersionNumber: 1,
    tagSet: tagSet(tags),
  };
}

function byName(region: Region, name: string, now: number): LaunchTemplate | undefined {
  return allAt(region.templates, now).find((one) => one.name === name);
}

function missingId(id: string): never {
  return refuse(
    "InvalidLaunchTemplateId.NotFound",
    `The specified launch template, with template ID ${id}, does not exist.`,
  );
}

function missingName(): never {
  return refuse(
    "InvalidLaunchTemplateName.NotFoundException",
    "At least one of the launch templates specified in the request does not exist.",
  );
}

/** The template that a request names, by exactly one of id and name. */
export function reference({ region, now }: Call, named: TemplateReference): LaunchTemplate {
  const { LaunchTemplateId: id, LaunchTemplateName: name } = named;
  if ((id === undefined) === (name === undefined)) {
    return refuse(
      "InvalidParameterCombination",
      "Either a launch template ID or a launch template name must be specified.",
    );
  }
  if (id !== undefined) return region.templates.get(id)?.at(now) ?? missingId(id);
  return byName(region, name ?? "", now) ?? missingName();
}

/** The machine that a template stands for. */
export function machineOf(template: LaunchTemplate): MachineRequest {
  return template.data;
}

/** A launch with what its template says where the request says nothing. */
export function templateFor(call: Call, request: LaunchRequest): { request: LaunchRequest; templateId: string | null } {
  if (request.LaunchTemplate === undefined) return { request, templateId: null };
  const { Version = "$Default" } = request.LaunchTemplate;
  const template = reference(call, request.LaunchTemplate);
  if (!["$Default", "$Latest", "1"].includes(Version)) {
    refuse("InvalidLaunchTemplateId.VersionNotFound", `Could not find launch template version ${Version}`);
  }
  return { request: { ...machineOf(template), ...request }, templateId: template.id };
}
